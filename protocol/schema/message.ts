// Rows of the catalogue. A row says everything about a message: its tag, who says it, what answers
// it, what a client must know before it asks, and what each field means. All else is derived from
// the row. On the wire a message is a MessagePack array: its tag, then its fields in order.

import { arrayReader, arrayWriter } from './record.js'
import type { AnyShape, Fields, WireValue } from './schema.js'

/** Who may say a message. `either`: both ends of a connection, whatever their roles. */
export type Speaker = 'client' | 'processing' | 'persistence' | 'either'

/** `unless-repeated`: needed, except by who asks again for what is done, with the same token. */
export type LogIn = 'required' | 'none' | 'unless-repeated'

/** What a client must know of a message that it says. */
export interface ClientTerms {
  readonly login: LogIn
  /** A command: it has a place in the order, and what it does is an entry of the log. */
  readonly ordered: boolean
  /** What comes of saying it again, for a client that has lost the answer. */
  readonly repeated: string
}

interface Row<N extends string, B extends Speaker, A extends string, S extends AnyShape> {
  /** Never reused. */
  readonly tag: number
  readonly name: N
  readonly by: B
  /** The messages that answer this one. ERROR, which may answer every request, is left out. */
  readonly answers?: readonly A[]
  /** One sentence or two, for docs/MESSAGES.md. */
  readonly meaning: string
  readonly fields: S
}

type NoTerms = { readonly [K in keyof ClientTerms]?: never }

export interface MessageType<
  N extends string,
  B extends Speaker,
  A extends string,
  S extends AnyShape,
> extends Required<Row<N, B, A, S>> {
  /** null: no client says it. */
  readonly terms: ClientTerms | null
  read(value: readonly unknown[]): { readonly type: N } & Fields<S>
  write(message: Fields<S>): WireValue[]
}

export type AnyMessageType = MessageType<string, Speaker, string, AnyShape>

export function message<
  const N extends string,
  const B extends Speaker,
  S extends AnyShape,
  const A extends string = never,
>(row: Row<N, B, A, S> & (B extends 'client' ? ClientTerms : NoTerms)): MessageType<N, B, A, S> {
  const { tag, name, by, answers = [], meaning, fields } = row
  const { login, ordered, repeated }: Partial<ClientTerms> = row
  const reader = arrayReader(fields, 1)
  const writer = arrayWriter(fields)
  return {
    ...{ tag, name, by, answers, meaning, fields },
    terms: login === undefined ? null : ({ login, ordered, repeated } as ClientTerms),
    read: (value) => ({ type: name, ...reader(value, name) }),
    write: (content) => writer(content, [tag]),
  }
}

/** The TypeScript type of a row's message. */
export type MessageOf<M> = M extends {
  readonly name: infer N
  readonly fields: infer S extends AnyShape
}
  ? { readonly type: N } & Fields<S>
  : never
