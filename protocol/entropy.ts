// Randomness is injected: protocol code draws none of its own, so the simulator can replay a run.

/**
 * Returns `bytes` random bytes: cryptographic in a daemon, of a seeded generator in the simulator.
 */
export type Entropy = (bytes: number) => Uint8Array
