// OPEN_STREAM: a stream numbers the sends of one client 1, 2, ...; (stream, seq) is the identity of a
// send. Its id is its place in the order. A user has a bounded number of open streams: one too many
// ends those that have been idle for longest, so that clients that left without a word keep nobody
// from sending.

import { idOf, sameBytes } from '../../bytes.js'
import { KIND } from '../../entries/entry.js'
import { fromBase64url, readJson, toBase64url, writeJson } from '../../entries/json-body.js'
import { ERRORS } from '../../errors.js'
import { uint } from '../../schema/schema.js'
import { NONE, noop } from '../decision.js'
import type { StreamView, StreamsView } from '../ledger-view.js'
import { streamIdAt } from '../stream-id.js'
import { defineCommand, defineEntry } from './define.js'
import { token, user } from './shapes.js'

/** Streams that end for a new one, at the most: more only where the limit was lowered. */
const MOST_ENDS = 16

interface Opening {
  /** Of the request; empty: an older version opened the stream, under an id of the client's. */
  readonly token: Uint8Array
  /** Streams that end for this one. */
  readonly ends: readonly Uint8Array[]
}

function encodeOpening({ token, ends }: Opening): Uint8Array {
  return writeJson([toBase64url(token), ...ends.map(toBase64url)])
}

/** Throws if the bytes are no opening. */
export function decodeOpening(body: Uint8Array): Opening {
  if (body.length === 0) return { token: NONE, ends: [] }
  const written = readJson(body)
  if (!Array.isArray(written) || !written.every((one) => typeof one === 'string')) {
    throw new RangeError('stream body: a token and ids expected')
  }
  const [token, ...ends] = written.map(fromBase64url)
  return { token: token ?? NONE, ends }
}

/** The open stream that this user's request with the token has opened. */
export function openedBy(
  streams: StreamsView,
  user: string,
  token: Uint8Array,
): readonly [id: string, stream: StreamView] | undefined {
  return streams.streamsOf(user).find(([, stream]) => sameBytes(stream.token, token))
}

/** The longest idle first; of equals, the one that was opened first. */
const byIdleness = (
  [a, { used: usedA }]: readonly [string, StreamView],
  [b, { used: usedB }]: readonly [string, StreamView],
): number => usedA - usedB || (a < b ? -1 : 1)

export const openStream = defineCommand({
  fields: {
    user,
    token,
    most: uint({ min: 1 }).means('Streams that the user may have open.'),
  },
  weigh: () => 25 * MOST_ENDS,
  decide(ledger, { user: by, token: request, most }, context, place) {
    if (!ledger.account(by)) return noop(ERRORS.NO_SUCH_USER.code)
    if (openedBy(ledger, by, request)) return noop(0)
    const open = ledger.streamsOf(by)
    const excess = Math.min(MOST_ENDS, Math.max(0, open.length + 1 - most))
    const idle = open.toSorted(byIdleness).slice(0, excess)
    const ends = idle.map(([id]) => Buffer.from(id, 'latin1'))
    const stream = streamIdAt(context, place)
    const meta = { kind: KIND.stream, answer: 0, mailbox: by, stream, seq: 0, digest: NONE }
    return { meta, body: encodeOpening({ token: request, ends }) }
  },
})

export const STREAM_ENTRY = defineEntry({
  kind: KIND.stream,
  check: (_meta, body) => void decodeOpening(body),
  apply(ledger, { mailbox: owner, stream: id }, { body, time: used }) {
    const { token, ends } = decodeOpening(body)
    for (const one of ends) ledger.endStream(idOf(one))
    ledger.openStream(idOf(id), { owner, token, next: 1, used })
  },
})
