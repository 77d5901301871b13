// Randomness comes in from outside: a protocol draws none of its own.

/** Cryptographic randomness in the daemon, a seeded generator in the simulator. */
export type Entropy = (bytes: number) => Uint8Array
