// Which log: a cluster, and a history of its log. Two logs of one cluster may hold other entries at
// the same index once one of them was restored from a copy; then their histories differ. Invariant:
// no replica, snapshot or client acts on positions of another history.

export interface Origin {
  readonly clusterId: string
  /** 128 random bits, hexadecimal, or FIRST_HISTORY. */
  readonly historyId: string
}

/** History of a log where neither its file nor the configuration names one. */
export const FIRST_HISTORY = 'first'
