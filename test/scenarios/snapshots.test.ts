// A processing replica that begins with its snapshot, and one that is far behind the log. p1 is
// real, on one real store s1; the test plays the client c1.

import t from 'tap'
import { packDrafts, withChain, type Batch } from '../../protocol/entries/batch.js'
import { KIND, plainMeta } from '../../protocol/entries/entry.js'
import { encodeMarks } from '../../protocol/entries/marks.js'
import { LIMITS, SNAPSHOT_BOUNDS, TIMINGS } from '../../protocol/machine/config.js'
import type { Effect, Input, LinkId, Machine } from '../../protocol/machine/machine.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { ProcessingReplica } from '../../protocol/replicas/processing.js'
import { ORIGIN } from '../simulator/origin.js'
import { readKey, seal } from '../simulator/compute.js'
import { Random } from '../simulator/random.js'
import { SnapshotDisk } from '../simulator/snapshot-disk.js'
import { PASSWORD, PlayedClient } from './played.js'
import { Stage } from './stage.js'

function addP1(stage: Stage, snapshot: SnapshotDisk, near: number, bounds = SNAPSHOT_BOUNDS): void {
  const build = ({ boot, entropy }: { boot: string; entropy: (n: number) => Uint8Array }) =>
    new ProcessingReplica({
      ...{ ...ORIGIN, self: 1, slots: 1, stores: 1, timings: TIMINGS, limits: LIMITS },
      ...{ boot, entropy, registration: 'open', seal, readKey, near },
      snapshots: { stored: snapshot.content !== null, bounds },
    })
  stage.add('processing', 1, build, null, snapshot)
}

class Alone {
  readonly stage = new Stage(1)
  readonly snapshot = new SnapshotDisk(this.stage.timeline, new Random(1, 'snapshot'))
  readonly client = new PlayedClient(this.stage, 1)
  stream = new Uint8Array(16)

  constructor(bounds = SNAPSHOT_BOUNDS) {
    this.stage.addStore(1, 1)
    addP1(this.stage, this.snapshot, 1_000, bounds)
    this.stage.start()
    this.serves()
    this.client.connect('p1')
    this.stream = Buffer.from(this.client.register('alice'))
  }

  get replica(): ProcessingReplica {
    return this.stage.host('p1').machine as ProcessingReplica
  }

  get entries(): number {
    return this.stage.disk('s1').last.index
  }

  serves(): void {
    this.stage.until('a coordinator', () => this.replica.role === 'coordinator')
  }

  send(seq: number): Message {
    return this.client.ask({ type: 'SEND', stream: this.stream, seq, to: 'alice', text: `${seq}` })
  }

  /** Sends, waits for the save, and ends the process. */
  saved(): number {
    for (let seq = 1; seq <= 5; seq++) this.send(seq)
    this.stage.until('a save', () => this.snapshot.content?.head.place.index === this.entries)
    this.stage.crash('p1')
    return this.entries
  }

  /** The places after which the replica begins to follow the log. */
  begins(mark: number): number[] {
    const feeds = this.stage.sent('FEED', mark).filter(({ message }) => message.step === 'begin')
    return feeds.map(({ message }) => message.after)
  }

  /** Logs in, and sends the first message again and a new one. */
  again(): Message[] {
    this.client.connect('p1')
    this.client.ask({ type: 'LOGIN', name: 'alice', password: PASSWORD })
    return [this.send(1), this.send(6)]
  }
}

t.test('a replica follows the log from its snapshot', (t) => {
  const alone = new Alone()
  const index = alone.saved()
  const mark = alone.stage.said.length
  alone.stage.start('p1')
  alone.serves()
  t.same(alone.begins(mark), [index])
  t.ok(alone.stage.logged('p1 snapshot-loaded'))
  t.match(alone.again(), [
    { type: 'RECEIPT', index: 4 },
    { type: 'RECEIPT', index: alone.entries },
  ])
  t.end()
})

t.test('a replica that is told to stop saves all that it has applied', (t) => {
  const alone = new Alone()
  alone.send(1)
  const { entries } = alone
  const digest = alone.replica.stateDigest()
  t.not(alone.snapshot.content?.head.place.index, entries)
  alone.stage.host('p1').input({ type: 'drain' })
  alone.stage.until('the end', () => !alone.stage.host('p1').up)
  t.equal(alone.snapshot.content?.head.place.index, entries)
  alone.stage.start('p1')
  alone.stage.until('the state', () => alone.replica.appliedIndex === entries)
  t.equal(alone.replica.stateDigest(), digest, 'G1')
  t.end()
})

t.test('the last listener goes with a batch: the log is followed from the end of a batch', (t) => {
  const alone = new Alone()
  alone.client.ask({ type: 'LISTEN', after: 0, window: 8 })
  const mark = alone.stage.said.length
  const token = new Uint8Array(16).fill(9)
  alone.client.ask({ type: 'DELETE_ACCOUNT', name: 'alice', password: PASSWORD, token })
  alone.stage.until('no more bodies', () => alone.begins(mark).length > 0)
  alone.stage.run(1_000)
  t.same(alone.begins(mark), [alone.entries])
  t.notOk(alone.stage.logged('p1 state-not-of-this-log'))
  t.end()
})

t.test('a coordinator whose state is not of the log gives its term up', (t) => {
  const alone = new Alone()
  const { replica } = alone
  const step = replica.step.bind(replica)
  const lie = (input: Input): Input => {
    if (input.type !== 'message' || input.message.type !== 'PLACED') return input
    return { ...input, message: { ...input.message, held: false } }
  }
  replica.step = (input, now) => step(lie(input), now)
  const { term } = replica
  alone.stage.hold('s1', 'p1')
  const mark = alone.stage.said.length
  const send = { type: 'SEND', stream: alone.stream, seq: 1, to: 'alice', text: '1' } as const
  alone.client.send(send)
  alone.stage.until('an append', () => alone.stage.sent('APPEND', mark).length > 0)
  alone.client.send({ type: 'LISTEN', after: 0, window: 8 })
  alone.stage.run(50)
  alone.stage.release('s1', 'p1')
  alone.stage.until('the astray state', () => alone.stage.logged('p1 state-not-of-this-log'))
  replica.step = step
  alone.stage.until('the next term', () => replica.term > term)
  t.match(alone.client.ask(send), { type: 'RECEIPT' }, 'orders go on')
  t.end()
})

t.test('where no save is possible, changed records are not remembered without end', (t) => {
  const changes = 40
  const alone = new Alone({ ...SNAPSHOT_BOUNDS, retryMs: 1_000, intervalMs: 1_000, changes })
  for (let seq = 1; seq <= 3; seq++) alone.send(seq)
  alone.stage.until('a save', () => alone.snapshot.content !== null)
  alone.snapshot.full = true
  for (let round = 1; round <= 60; round++) {
    const token = new Uint8Array(16).fill(100 + round)
    const opened = alone.client.ask({ type: 'OPEN_STREAM', token })
    if (opened.type !== 'STREAM_OPENED') throw new Error('no stream')
    const { stream } = opened
    alone.client.ask({ type: 'SEND', stream, seq: 1, to: 'alice', text: 'olá' })
    alone.client.ask({ type: 'CLOSE_STREAM', stream })
    const { troca_snapshot_changes: kept } = alone.replica.metrics()
    if (kept > changes) t.fail(`${kept} changed records are kept`)
  }
  alone.snapshot.full = false
  alone.stage.until('a save', () => alone.snapshot.content?.head.place.index === alone.entries)
  const keys = [...alone.snapshot.content!.records.keys()]
  t.equal(
    keys.filter((key) => key.startsWith('s')).length,
    1,
    'and the next save has the whole state',
  )
  const digest = alone.replica.stateDigest()
  alone.stage.crash('p1')
  alone.stage.start('p1')
  alone.stage.until('the state', () => alone.replica.appliedIndex === alone.entries)
  t.equal(alone.replica.stateDigest(), digest, 'G1')
  t.end()
})

t.test('a replica says how far its start has come', (t) => {
  const alone = new Alone()
  const index = alone.saved()
  alone.stage.hold('s1', 'p1')
  alone.stage.start('p1')
  alone.stage.run(100)
  t.match(alone.replica.catchingUp, `the log is being asked whether it holds entry ${index}`)
  t.equal(alone.replica.appliedIndex, 0)
  alone.stage.release('s1', 'p1')
  alone.serves()
  t.equal(alone.replica.catchingUp, null)
  t.end()
})

const STRANGE: Record<string, (index: number, chain: Uint8Array) => [number, Uint8Array]> = {
  'another log': (index) => [index, new Uint8Array(32).fill(7)],
  'a longer log': (index) => [index + 100, new Uint8Array(32).fill(7)],
  'the middle of a batch that is not there': (index, chain) => [index - 1, chain],
}

for (const [what, placeOf] of Object.entries(STRANGE)) {
  t.test(`the snapshot of ${what} is thrown away, and the state is built from entry 1`, (t) => {
    const alone = new Alone()
    alone.saved()
    const { records, head } = alone.snapshot.content!
    const [index, chain] = placeOf(head.place.index, head.place.chain)
    alone.snapshot.content = { records, head: { ...head, place: { index, chain } } }
    const mark = alone.stage.said.length
    alone.stage.start('p1')
    alone.serves()
    t.ok(alone.stage.logged('p1 state-not-of-this-log'))
    t.same(alone.begins(mark), [index, 0])
    t.match(alone.again(), [{ type: 'RECEIPT', index: 4 }, { type: 'RECEIPT' }])
    alone.stage.until('a save', () => alone.snapshot.content?.head.place.index === alone.entries)
    t.end()
  })
}

t.test('a snapshot of another cluster, or a damaged one, is thrown away at once', (t) => {
  const alone = new Alone()
  alone.saved()
  const { records, head } = alone.snapshot.content!
  alone.snapshot.content = { records, head: { ...head, clusterId: 'another' } }
  let mark = alone.stage.said.length
  alone.stage.start('p1')
  alone.serves()
  t.ok(alone.stage.logged('p1 snapshot-discarded'))
  t.same(alone.begins(mark), [0])
  alone.stage.crash('p1')
  alone.snapshot.damaged = true
  mark = alone.stage.said.length
  alone.stage.start('p1')
  alone.serves()
  t.same(alone.begins(mark), [0])
  t.end()
})

/** A store that tells of entries, and feeds them only when it is let. */
class HoldingStore implements Machine {
  readonly debugWords = {}
  readonly log: Batch[] = []
  feeds = false
  claims = 0
  #effects: Effect[] = []
  readonly #links = new Map<LinkId, 'main' | 'bulk'>()

  constructor(entries: number) {
    let chain: Uint8Array = new Uint8Array(32)
    for (let first = 1; first <= entries; first++) {
      const mark = { delivered: first - 1, read: 0 }
      const draft = { meta: plainMeta(KIND.marks), body: encodeMarks([['alice', mark]]) }
      const place = { first, epoch: { counter: 1, slot: 1 }, lamport: first, time: first }
      const batch = withChain(chain, { ...place, term: 0, k: 0, ...packDrafts([draft]) })
      this.log.push(batch)
      chain = batch.chain
    }
  }

  step(input: Input): Effect[] {
    if (input.type === 'link-up' && 'lane' in input.peer)
      this.#links.set(input.link, input.peer.lane)
    if (input.type === 'tick') {
      for (const [link, lane] of this.#links) if (lane === 'main') this.#tell(link)
    }
    if (input.type === 'message') this.#hear(input.link, input.message)
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #say(link: LinkId, message: Message): void {
    this.#effects.push({ type: 'send', link, message })
  }

  #tell(link: LinkId): void {
    const { length: last } = this.log
    const epoch = { counter: 1, slot: 1 }
    const here = { members: [1], reaches: [1], hears: [1], full: false, lamport: last }
    const state = { status: 'normal', epoch, last, committed: last } as const
    this.#say(link, { type: 'STORE_HEARTBEAT', ...state, ...here })
    if (this.feeds) this.#say(link, { type: 'BATCHES', batches: this.log })
  }

  #hear(link: LinkId, message: Message): void {
    if (message.type === 'CLAIM') this.claims++
    if (message.type !== 'FEED' || message.step !== 'begin') return
    this.#say(link, { type: 'PLACED', after: message.after, held: true })
  }

  metrics(): Record<string, number> {
    return {}
  }
}

t.test('a replica that is far behind the log claims no term', (t) => {
  const stage = new Stage(1)
  const store = new HoldingStore(50)
  stage.add('persistence', 1, () => store)
  addP1(stage, new SnapshotDisk(stage.timeline, new Random(1, 'snapshot')), 20)
  stage.start()
  stage.run(10_000)
  const replica = stage.host('p1').machine as ProcessingReplica
  t.equal(store.claims, 0)
  t.equal(replica.catchingUp, 'the log is being applied: 0 of 50 entries')
  store.feeds = true
  stage.until('a claim', () => store.claims > 0)
  t.equal(replica.appliedIndex, 50)
  t.end()
})
