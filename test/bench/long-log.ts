// Makes the logs of a stopped cluster longer, without its daemons: sends from one user to another,
// decided and sealed as replicas do it, written to the files of all persistence replicas.
//
// npm run bench:long-log -- --dir DIR --from bob --to alice --messages 100000

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

class Writer {
  readonly #executor: Executor
  readonly #seal: ExecutionContext['seal']
  #stream: Uint8Array = new Uint8Array(0)
  #seq = STREAM_SENDS
  #lamport: number
  readonly #epoch: Batch['epoch']

  constructor(executor: Executor, keys: ContentKeys, { lamport, tail }: Recovered) {
    this.#executor = executor
    this.#seal = (input) => keys.seal(input as SealInput & { readonly recipientKey: RecipientKey })
    this.#lamport = lamport
    this.#epoch = tail.at(-1)!.epoch
  }

  /** The next batch of sends, applied. */
  order(user: string, to: string, sends: number, keySeed: Uint8Array): Batch {
    const { base } = this.#executor
    const [term, k, time] = [base.fence.term, base.fence.k + 1, base.time + 1]
    const executor = this.#executor
    const context: ExecutionContext = {
      ...{ term, k, time, keySeed, diverged: false, seal: this.#seal },
      keyOf: (account) => executor.keyOf(account),
      namesOf: (account) => executor.namesOf(account),
      readable: () => true,
    }
    const drafts: Draft[] = []
    const add = (command: ClientCommand): void => {
      const origin = { slot: 1, boot: 'bench', id: 1 }
      const decided = decide(base, { ...command, origin } as Command, context, drafts.length)
      if (decided.meta.answer !== 0) throw new Error(`refused with ${decided.meta.answer}`)
      drafts.push(decided)
    }
    if (this.#seq === STREAM_SENDS) {
      this.#seq = 0
      add({ kind: 'open-stream', user, token: randomBytes(16), most: 64 })
      this.#stream = drafts[0]!.meta.stream
      return this.#batch(drafts, term, k, time)
    }
    // A command is decided on the state after the one before it; only the next seq changes here.
    const state = base.stream(idOf(this.#stream))!
    for (let i = 0; i < sends && this.#seq < STREAM_SENDS; i++) {
      const seq = ++this.#seq
      state.next = seq
      const text = `message ${base.index + 1 + i} of a long log, with some words to fill it`
      add({ kind: 'send', user, stream: this.#stream, seq, to, text })
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
const keySeed = randomBytes(32)
let left = Number(values.messages)
while (left > 0) {
  const batches: Batch[] = []
  while (batches.length < GROUP && left > 0) {
    const batch = writer.order(values.from, values.to, Math.min(ORDER_COMMANDS, left), keySeed)
    left -= entriesOf(batch).filter(({ meta }) => meta.seq > 0).length
    batches.push(batch)
  }
  const commit = executor.base.index
  await Promise.all(opened.map(({ store }) => store.write({ batches, commit })))
}
await Promise.all(opened.map(({ store }) => store.close()))
process.stdout.write(`the log has ${executor.base.index} entries\n`)
