// Rows of the catalogue. A row says everything about a message: its tag, its sender, its answers,
// the terms for clients, and the meaning of each field. All else is derived from the row. On the
// wire a message is a MessagePack array: its tag, then its fields in order.

import { arrayReader, arrayWriter } from './record.js'
import type { AnyShape, Fields, WireValue } from './schema.js'

/** The side that may send a message. `either`: both ends of a connection, whatever their roles. */
export type Speaker = 'client' | 'processing' | 'persistence' | 'either'

/**
 * `unless-repeated`: needed, except for a repeated request with the same token that is done
 * already.
 */
export type LogIn = 'required' | 'none' | 'unless-repeated'

/** Terms that a client must know of a message that it sends. */
export interface ClientTerms {
  readonly login: LogIn
  /** A command: it has a place in the order, and its effect is an entry of the log. */
  readonly ordered: boolean
  /** Effect of a repeated request, for a client that has lost the answer. */
  readonly repeated: string
}

interface Row<N extends string, B extends Speaker, A extends string, S extends AnyShape> {
  /** Number of the message on the wire; never reused. */
  readonly tag: number
  readonly name: N
  readonly by: B
  /** The messages that answer this one. ERROR, which may answer every request, is left out. */
  readonly answers?: readonly A[]
  /** A sentence or two, for docs/MESSAGES.md. */
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
  /** null: no client sends it. */
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
