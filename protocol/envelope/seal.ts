// The interface between execution and the envelope, so that the simulator can inject a cheaper
// envelope.

/** A parsed public key. Execution reads only its kid and size. */
export interface RecipientKey {
  /** RFC 7638 thumbprint, base64url. */
  readonly kid: string
  readonly bits: number
}

/** All that the bytes of an envelope depend on. Replicas with equal input make equal bytes. */
export interface SealInput {
  readonly recipientKey: RecipientKey
  readonly term: number
  /** 32 bytes; the same for all orders of a key epoch. */
  readonly keySeed: Uint8Array
  readonly k: number
  /** Place of the command in its order. */
  readonly command: number
  readonly sender: string
  readonly recipient: string
  readonly stream: Uint8Array
  readonly seq: number
  readonly time: number
  readonly text: string
}

/** A sealed message as the log keeps it: stored.ts makes the whole envelope of it. */
export interface Sealed {
  /** What all messages of one pair in one key epoch share; empty: `own` is the whole envelope. */
  readonly shared: Uint8Array
  readonly own: Uint8Array
}

export type Seal = (input: SealInput) => Sealed
