// How soon idle streams end in the runs where they end soon.

/** The shortest setting of `limits.streamIdleMs`, ms. */
export const SHORTEST_IDLE_MS = 1_000
/** Below this, all streams have ended by the end of a run. */
export const SHORT_IDLE_MS = 5_000
