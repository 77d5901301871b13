// Makes the logs of a stopped cluster longer, without its daemons: sends from one user to another,
// or among many, decided and sealed as replicas do it, written to the files of all persistence
// replicas.
//
// npm run bench:long-log -- --dir DIR --from bob --to alice --messages 100000
// npm run bench:long-log -- --dir DIR --users 10000 --messages 1000000
//
// The users of the second form are u00001 and so on. They have the keys and the password of `from`,
// as ten thousand keys would take hours to make.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { idOf } from '../../protocol/bytes.js'
import { readConfig, slotsOf } from '../../daemons/provision/config.js'
import { Store } from '../../daemons/storage/store.js'
import { ContentKeys, recipientKeyOf } from '../../protocol/envelope/content-keys.js'
import type { RecipientKey } from '../../protocol/envelope/content-keys.js'
import type { SealInput } from '../../protocol/envelope/seal.js'
import { entriesOf, packDrafts, withChain, type Batch } from '../../protocol/entries/batch.js'
import type { Draft } from '../../protocol/entries/entry.js'
import type { Recovered } from '../../protocol/machine/storage.js'
import { decide, type ClientCommand, type Command } from '../../protocol/state/commands/registry.js'
import type { ExecutionContext } from '../../protocol/state/decision.js'
import { Executor } from '../../protocol/state/executor.js'

const ORDER_COMMANDS = 100
/** New accounts of one order: their keys must fit a frame. */
const ORDER_ACCOUNTS = 16
/** Orders of one transaction. */
const GROUP = 100
/** Sends of one stream. */
const STREAM_SENDS = 10_000

interface Opened {
  readonly store: Store
  readonly recovered: Recovered
}

async function open(dir: string): Promise<Opened[]> {
  const config = readConfig(join(dir, 'cluster.yaml'))
  const opened: Opened[] = []
  for (let slot = 1; slot <= slotsOf(config, 'persistence'); slot++) {
    const found = await Store.open(join(dir, 'data', `s${slot}.db`))
    if (!found) throw new Error(`${dir} has no file of s${slot}; start the cluster once`)
    opened.push(found)
  }
  const ends = new Set(
    opened.map(
      ({ recovered: { durable } }) =>
        `${durable.last} ${Buffer.from(durable.chain).toString('hex')}`,
    ),
  )
  if (ends.size > 1)
    throw new Error('the logs end differently; start and stop the cluster once more')
  return opened
}

/** The committed state at the end of the log. */
async function built(store: Store, executor: Executor): Promise<void> {
  for (;;) {
    const after = executor.base.index
    const read = await store.read({ kind: 'batches', after, limit: 10_000, maxBytes: 1e7 })
    if (read.kind !== 'batches') throw new Error('the log cannot be read')
    if (read.batches.length === 0) return
    for (const batch of read.batches) executor.apply(batch)
  }
}

/** A stream of one user: its id, and the seq of its last send. */
interface OpenStream {
  readonly id: Uint8Array
  seq: number
}

class Writer {
  readonly #executor: Executor
  readonly #seal: ExecutionContext['seal']
  readonly #streams = new Map<string, OpenStream>()
  readonly #keySeed = randomBytes(32)
  #lamport: number
  readonly #epoch: Batch['epoch']

  constructor(executor: Executor, keys: ContentKeys, { lamport, tail }: Recovered) {
    this.#executor = executor
    this.#seal = (input) => keys.seal(input as SealInput & { readonly recipientKey: RecipientKey })
    this.#lamport = lamport
    this.#epoch = tail.at(-1)!.epoch
  }

  /** New accounts with the secrets of `like`. */
  register(names: readonly string[], like: string): Batch {
    const account = this.#executor.base.account(like)
    if (!account) throw new Error(`there is no user ${like}; register one first`)
    const token = () => randomBytes(16)
    const shared = { ...account.secrets, invitation: null, byInvitation: false }
    return this.#order(names, (name) => ({ kind: 'register', name, token: token(), ...shared }))
  }

  /** A new stream for each of these users. */
  open(users: readonly string[]): Batch {
    const batch = this.#order(users, (user) => {
      return { kind: 'open-stream', user, token: randomBytes(16), most: 64 }
    })
    for (const [i, { meta }] of entriesOf(batch).entries()) {
      this.#streams.set(users[i]!, { id: meta.stream, seq: 0 })
    }
    return batch
  }

  needsStream(user: string): boolean {
    const seq = this.#streams.get(user)?.seq ?? STREAM_SENDS
    return seq + ORDER_COMMANDS > STREAM_SENDS
  }

  /** The next batch of sends of one user, applied. */
  send(user: string, recipients: readonly string[]): Batch {
    const { base } = this.#executor
    const stream = this.#streams.get(user)!
    // A command is decided on the state after the one before it; only the next seq changes here.
    const state = base.stream(idOf(stream.id))!
    let index = base.index
    return this.#order(recipients, (to) => {
      const seq = ++stream.seq
      state.next = seq
      const text = `message ${++index} of a long log, with some words to fill it`
      return { kind: 'send', user, stream: stream.id, seq, to, text }
    })
  }

  #order<T>(of: readonly T[], command: (one: T) => ClientCommand): Batch {
    const executor = this.#executor
    const { base } = executor
    const [term, k, time] = [base.fence.term, base.fence.k + 1, base.time + 1]
    const context: ExecutionContext = {
      ...{ term, k, time, keySeed: this.#keySeed, diverged: false, seal: this.#seal },
      keyOf: (account) => executor.keyOf(account),
      namesOf: (account) => executor.namesOf(account),
      readable: () => true,
    }
    const origin = { slot: 1, boot: 'bench', id: 1 }
    const drafts: Draft[] = []
    for (const one of of) {
      const full = { ...command(one), origin } as Command
      const decided = decide(base, full, context, drafts.length)
      if (decided.meta.answer !== 0) throw new Error(`refused with ${decided.meta.answer}`)
      drafts.push(decided)
    }
    return this.#batch(drafts, term, k, time)
  }

  #batch(drafts: readonly Draft[], term: number, k: number, time: number): Batch {
    const { base } = this.#executor
    const place = { first: base.index + 1, epoch: this.#epoch, lamport: ++this.#lamport, time }
    const batch = withChain(base.chain, { ...place, term, k, ...packDrafts(drafts) })
    for (const entry of entriesOf(batch)) base.apply(entry)
    base.applied(batch)
    return batch
  }
}

const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: '.troca' },
    from: { type: 'string', default: 'bob' },
    to: { type: 'string', default: 'alice' },
    users: { type: 'string', default: '0' },
    messages: { type: 'string', default: '100000' },
  },
})
const opened = await open(values.dir)
const config = readConfig(join(values.dir, 'cluster.yaml'))
const keys = new ContentKeys(undefined, config.suite)
const executor = new Executor(() => {
  throw new Error('nothing is executed')
}, recipientKeyOf)
await built(opened[0]!.store, executor)
const writer = new Writer(executor, keys, opened[0]!.recovered)

const users = Array.from(
  { length: Number(values.users) },
  (_, i) => `u${String(i + 1).padStart(5, '0')}`,
)

function* slices<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size)
}

function* batches(): Generator<Batch> {
  const fresh = users.filter((name) => !executor.base.account(name))
  for (const names of slices(fresh, ORDER_ACCOUNTS)) yield writer.register(names, values.from)
  for (const names of slices(users, ORDER_COMMANDS)) yield writer.open(names)
  const [senders, recipients] = users.length > 0 ? [users, users] : [[values.from], [values.to]]
  for (let n = 0, left = Number(values.messages); left > 0; n++, left -= ORDER_COMMANDS) {
    const sender = senders[n % senders.length]!
    if (writer.needsStream(sender)) yield writer.open([sender])
    const sends = Math.min(ORDER_COMMANDS, left)
    const first = n * (ORDER_COMMANDS + 1)
    yield writer.send(
      sender,
      Array.from({ length: sends }, (_, i) => recipients[(first + i) % recipients.length]!),
    )
  }
}

let group: Batch[] = []
async function write(): Promise<void> {
  const written = { batches: group, commit: executor.base.index }
  group = []
  await Promise.all(opened.map(({ store }) => store.write(written)))
}
for (const batch of batches()) {
  group.push(batch)
  if (group.length === GROUP) await write()
}
if (group.length > 0) await write()
await Promise.all(opened.map(({ store }) => store.close()))
process.stdout.write(`the log has ${executor.base.index} entries\n`)
