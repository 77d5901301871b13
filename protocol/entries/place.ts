// A place in the log.

/** A place in the log: an index and the chain there. */
export interface Place {
  readonly index: number
  readonly chain: Uint8Array
}
