// The messages that frames are made from before any was heard: the catalogue's example of each
// message, and more for the choices that an example does not show.

import type { Message } from '../../protocol/messages/catalogue.js'
import type { Command } from '../../protocol/state/commands/registry.js'
import { packDrafts, withChain, without, type Batch } from '../../protocol/entries/batch.js'
import { KIND, encodeMeta, type Draft } from '../../protocol/entries/entry.js'
import { EXAMPLES } from '../generate-messages.js'

const stream = new Uint8Array(16).fill(7)
const nothing = new Uint8Array(0)
const place = { user: 'alice', stream, seq: 1, to: 'bob' }

function exampleOf<N extends Message['type']>(type: N): Extract<Message, { type: N }> {
  return EXAMPLES.find((one) => one.type === type) as Extract<Message, { type: N }>
}

const registration = exampleOf('FORWARD').commands[0]!
const { origin } = registration

const rule = { age: 1, count: 2, bytes: 3 }

const COMMANDS: readonly Command[] = [
  registration,
  { kind: 'open-stream', origin, user: 'alice', token: stream, most: 4 },
  { kind: 'end-idle-streams', origin, streams: [stream], idleSince: 1 },
  { kind: 'send', origin, ...place, text: 'olá' },
  { kind: 'send-sealed', origin, ...place, sealed: Uint8Array.of(1, 2, 3) },
  { kind: 'delete', origin, user: 'alice', indices: [1, 2] },
  { kind: 'retain', origin, user: 'alice', ...rule },
  { kind: 'expire', origin, user: 'alice', through: 3, read: 1, at: 0, ...rule },
]

const BODIES = ['[0,0]', '[1,"b","n"]', '[["alice",1]]', '[1,2]', '{}', '{"token":1}', 'null', '[']

/** Entries of every kind with bodies of every kind: valid ones, and ones that no replica writes. */
const DRAFTS: readonly Draft[] = Object.values(KIND).flatMap((kind) =>
  BODIES.map((body) => {
    const ofStream = kind === KIND.message || kind === KIND.stream
    const mailbox = kind === KIND.noop ? '' : 'alice'
    const parts = { stream: ofStream ? stream : nothing, seq: ofStream ? 1 : 0, digest: nothing }
    return { meta: { kind, answer: 0, mailbox, ...parts }, body: Buffer.from(body) }
  }),
)

function batchOf(drafts: readonly Draft[]): Batch {
  const place = { first: 1, epoch: { counter: 1, slot: 1 }, term: 1, k: 1, lamport: 1 }
  const contents = packDrafts(drafts)
  return withChain(new Uint8Array(32), { ...place, time: 1_790_000_000_000, ...contents })
}

/** An entry alone, all of a body together, and one without its bodies. */
const BATCHES: readonly Batch[] = [
  ...DRAFTS.map((draft) => batchOf([draft])),
  ...BODIES.map((_, i) => batchOf(DRAFTS.filter((_, at) => at % BODIES.length === i))),
  without(batchOf(DRAFTS), () => true),
]

const MORE: readonly Message[] = [
  ...COMMANDS.flatMap((command): Message[] => [
    { type: 'FORWARD', commands: [command] },
    { ...exampleOf('ORDER'), commands: [command] },
  ]),
  ...BATCHES.flatMap((batch): Message[] => [
    { ...exampleOf('REPLICATE'), batches: [batch] },
    { ...exampleOf('PULLED'), batches: [batch] },
    { ...exampleOf('BATCHES'), batches: [batch] },
    { ...exampleOf('APPEND'), head: batch.head, bodies: batch.bodies },
  ]),
  ...DRAFTS.map((draft): Message => {
    return {
      ...exampleOf('READ_PAGE'),
      messages: [{ index: 1, time: 1, meta: encodeMeta(draft.meta), envelope: draft.body }],
    }
  }),
]

/** Messages by name. */
export const SEEDS: ReadonlyMap<string, readonly Message[]> = new Map(
  EXAMPLES.map((example) => {
    return [example.type, [example, ...MORE.filter(({ type }) => type === example.type)]]
  }),
)
