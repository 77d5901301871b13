// The state of the cluster as one processing replica knows it.

/** What one processing replica knows of the cluster. */
export interface ClusterStatus {
  /** As `troca init` chose it. */
  readonly clusterId: string
  /** Slot of the replica that coordinates; 0: none known. */
  readonly coordinator: number
  /** Counts the coordinators that were confirmed. */
  readonly term: number
  /** All replicas of the cluster file. */
  readonly replicas: readonly ReplicaStatus[]
  /** Persistence replicas that must be up to serve. */
  readonly needed: number
  /** Whether the cluster serves. */
  readonly ready: boolean
}

/** What a processing replica knows of another replica, or of itself. */
export interface ReplicaStatus {
  /** The tier of the replica. */
  readonly tier: 'processing' | 'persistence'
  /** 1 ... N within the tier. */
  readonly slot: number
  /** Whether there is a connection to the replica. */
  readonly reachable: boolean
  /** What the replica is just now, in a word: `coordinator`, `follower`, `normal` ... */
  readonly role: string
  /** Term (processing), or counter of the installed epoch (persistence). */
  readonly term: number
  /** Persistence: the slot that breaks ties between epochs of one counter. */
  readonly epochSlot: number
  /** Last index of its log. */
  readonly last: number
  /** Last index that it knows to be committed. */
  readonly committed: number
  /** Persistence: its Lamport clock. */
  readonly lamport: number
  /** How old this knowledge is, in milliseconds. */
  readonly age: number
}
