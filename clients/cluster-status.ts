// The state of the cluster as the connected processing replica reports it (STATUS_IS).

/** The state of the cluster as the connected processing replica knows it. */
export interface ClusterStatus {
  /** The cluster's name, chosen by `troca init`. */
  readonly clusterId: string
  /** Slot of the coordinator; 0: none known. */
  readonly coordinator: number
  /** Number of the coordinator's term; grows with each confirmed coordinator. */
  readonly term: number
  /** All replicas of the cluster file. */
  readonly replicas: readonly ReplicaStatus[]
  /** How many persistence replicas must be up for the cluster to serve. */
  readonly needed: number
  /** Whether the cluster can store messages now. */
  readonly ready: boolean
}

/** The state of one replica as the connected processing replica knows it. */
export interface ReplicaStatus {
  /** The tier of the replica. */
  readonly tier: 'processing' | 'persistence'
  /** 1 ... N within the tier. */
  readonly slot: number
  /** Whether there is a connection to the replica. */
  readonly reachable: boolean
  /** The present role of the replica, in a word: `coordinator`, `follower`, `normal` ... */
  readonly role: string
  /** Processing: its term. Persistence: the counter of its installed epoch. */
  readonly term: number
  /** Persistence: the slot that orders epochs of the same counter. */
  readonly epochSlot: number
  /** Last index of the replica's log. */
  readonly last: number
  /** Last log index that the replica knows to be committed. */
  readonly committed: number
  /** Persistence: the time of its Lamport clock. */
  readonly lamport: number
  /** Age of this state, in milliseconds. */
  readonly age: number
}
