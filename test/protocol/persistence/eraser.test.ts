// Deletions at one persistence replica: a page shows the log of one moment, even if messages are
// deleted while it is read from the file; deletions that a crash interrupts are completed later.

import t from 'tap'
import { packDrafts } from '../../../protocol/entries/batch.js'
import { encodeExpiry } from '../../../protocol/entries/expiry.js'
import { encodeDrop } from '../../../protocol/entries/drop.js'
import { KIND, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import { TAIL, type Recovered } from '../../../protocol/machine/storage.js'
import type { Effect, Input, LinkId } from '../../../protocol/machine/machine.js'
import type { Message, MessageName, The } from '../../../protocol/messages/catalogue.js'
import { encodeClosing } from '../../../protocol/state/commands/delete-account.js'
import { LOG_BOUNDS, TIMINGS } from '../../../protocol/machine/config.js'
import { PersistenceReplica } from '../../../protocol/replicas/persistence.js'
import { Disk } from '../../simulator/disk.js'
import { History } from '../../simulator/history.js'
import { Random } from '../../simulator/random.js'
import { Timeline } from '../../simulator/timeline.js'

const MAIN = 1 as LinkId
const BULK = 2 as LinkId
const GENESIS = { clusterId: 'c', historyId: 'first', slots: 1 }

/** A cluster of one persistence replica; the test decides when a read of the file ends. */
class Store {
  readonly disk: Disk
  readonly #timeline = new Timeline()
  readonly #random = new Random(1)
  #machine: PersistenceReplica
  readonly #heard: Message[] = []
  /** Reads of the file that have not been carried out. */
  readonly reads: (() => void)[] = []
  /** Messages that each transaction erased. */
  readonly erasures: number[] = []
  /** false: writes that erase are never carried out. */
  erases = true
  #id = 0
  #k = 0

  readonly #stretch: number

  constructor(stretch = LOG_BOUNDS.stretch) {
    this.#stretch = stretch
    this.disk = new Disk(
      1,
      this.#timeline,
      this.#random,
      new History(1),
      { ...TAIL, entries: 100 },
      () => {},
    )
    this.disk.format(GENESIS, { counter: 1, nonce: '' })
    this.#machine = this.#start(this.disk.recover())
    this.run()
    const claim = { expected: 0, nonce: 'n', weight: 1 }
    this.#feed({ type: 'message', link: MAIN, message: { type: 'CLAIM', ...claim } })
    this.settle()
  }

  #start(recovered: Recovered | null): PersistenceReplica {
    const entropy = (bytes: number): Uint8Array => this.#random.bytes(bytes)
    const at = { clusterId: 'c', historyId: 'first', self: 1, slots: 1, timings: TIMINGS }
    const logBounds = { ...LOG_BOUNDS, stretch: this.#stretch }
    return new PersistenceReplica({ ...at, recovered, entropy, logBounds })
  }

  restart(): void {
    this.disk.crash()
    this.#machine = this.#start(this.disk.recover())
    this.run()
  }

  /** Runs until the replica serves and all writes are done. */
  run(): void {
    const link = { role: 'processing', slot: 1, boot: 'b', address: '' } as const
    this.#feed({ type: 'link-up', link: MAIN, peer: { ...link, lane: 'main' } })
    this.#feed({ type: 'link-up', link: BULK, peer: { ...link, lane: 'bulk' } })
    this.settle()
    if (this.#machine.status !== 'normal') throw new Error(this.#machine.status)
  }

  settle(): void {
    for (let i = 0; i < 200; i++) {
      this.#timeline.after(20, () => this.#feed({ type: 'tick' }))
      while (this.#timeline.step());
    }
  }

  #feed(input: Input): void {
    const now = Math.floor(this.#timeline.now)
    for (const effect of this.#machine.step(input, { monotonic: now, wall: now })) this.#do(effect)
  }

  #do(effect: Effect): void {
    if (effect.type === 'send') this.#heard.push(effect.message)
    if (effect.type === 'persist') {
      const { token, transaction } = effect
      if (transaction.erase && !this.erases) return
      const { erase } = transaction
      if (erase) this.erasures.push(erase.reduce((sum, { indices }) => sum + indices.length, 0))
      this.disk.write(transaction, (result) => this.#feed({ type: 'stored', token, result }))
    }
    if (effect.type === 'read') {
      const { token, query } = effect
      this.reads.push(() =>
        this.disk.read(query, (result) => this.#feed({ type: 'read', token, result })),
      )
    }
  }

  heard<N extends MessageName>(name: N): The<N>[] {
    return this.#heard.filter((message) => message.type === name) as The<N>[]
  }

  /** Appends in the term of entry 1; after `settle` the drafts are committed and carried out. */
  append(...drafts: Draft[]): void {
    const place = { id: ++this.#id, term: 1, k: ++this.#k, time: 0 }
    const order = { ...place, ...packDrafts(drafts) }
    this.#feed({ type: 'message', link: MAIN, message: { type: 'APPEND', ...order } })
  }

  read(mailbox: string): void {
    const message = { type: 'READ', request: ++this.#id, mailbox, after: 0, limit: 10 } as const
    this.#feed({ type: 'message', link: BULK, message })
  }

  /** Carries out the oldest read. */
  release(): void {
    this.reads.shift()!()
    this.settle()
  }

  pages(): number[][] {
    return this.heard('READ_PAGE').map(({ messages }) => messages.map(({ index }) => index))
  }
}

let seq = 0
function message(mailbox: string): Draft {
  const stream = new Uint8Array(16)
  const digest = new Uint8Array(32)
  const meta = { kind: KIND.message, answer: 0, mailbox, stream, seq: ++seq, digest }
  return { meta, body: Buffer.from(`to ${mailbox}`) }
}

function drop(mailbox: string, ...indices: number[]): Draft {
  return { meta: plainMeta(KIND.drop, 0, mailbox), body: encodeDrop(indices) }
}

t.test('a page during whose read a message is deleted is read again, without that message', (t) => {
  seq = 0
  const store = new Store()
  store.append(message('bob'), message('bob'))
  store.settle()
  store.read('bob')
  store.settle()
  t.equal(store.reads.length, 1, 'being read')
  store.append(message('bob'), drop('bob', 2))
  store.settle()
  t.same([...store.disk.file!.erased], [2], 'erased meanwhile')
  store.release()
  t.same(store.pages(), [], 'neither as it was before nor as it is after')
  store.release()
  t.same(store.pages(), [[3, 4]])
  t.ok(store.heard('READ_PAGE')[0]!.through >= 5)
  t.end()
})

t.test('a deletion in another mailbox disturbs no page', (t) => {
  seq = 0
  const store = new Store()
  store.append(message('bob'), message('alice'))
  store.settle()
  store.read('bob')
  store.settle()
  store.append(drop('alice', 2, 3))
  store.settle()
  store.release()
  t.same(store.pages(), [[2]])
  t.end()
})

t.test(
  'a deletion that a crash interrupts shows on pages before, and is carried out after it',
  (t) => {
    seq = 0
    const store = new Store()
    store.append(message('bob'), message('bob'))
    store.settle()
    store.erases = false
    store.append(drop('bob', 3, 1_000), message('bob'))
    store.settle()
    store.read('bob')
    store.settle()
    store.release()
    t.same(store.pages(), [[2, 5]], 'later messages stay')
    t.same([...store.disk.file!.erased], [], 'though the file still holds it')
    store.erases = true
    store.restart()
    t.same([...store.disk.file!.erased], [3])
    t.equal(store.disk.file!.dropped, 4)
    t.end()
  },
)

function closing(mailbox: string): Draft {
  return { meta: plainMeta(KIND.closed, 0, mailbox), body: encodeClosing(new Uint8Array(16)) }
}

t.test('the end of an account removes its mailbox from pages at once, and from the file', (t) => {
  seq = 0
  const store = new Store(2)
  store.append(message('bob'), message('bob'), message('alice'), message('bob'), message('bob'))
  store.append(message('bob'), closing('bob'))
  store.settle()
  store.read('bob')
  store.settle()
  t.equal(store.reads.length, 2, 'the page to erase, and the requested page')
  store.reads.splice(0, 2, ...store.reads.slice(0, 2).reverse())
  store.release()
  t.same(store.pages(), [[]], 'hidden before the bodies are erased')
  store.release()
  t.same([...store.disk.file!.erased], [2, 3], 'a page at a time')
  t.equal(store.disk.file!.dropped, 7, 'not carried out as a whole')
  store.restart()
  while (store.reads.length > 0) store.release()
  t.same([...store.disk.file!.erased], [2, 3, 5, 6, 7], 'a crash between two pages loses none')
  t.equal(store.disk.file!.dropped, 8)
  store.restart()
  t.same(store.reads, [], 'the erasure does not begin again')
  t.end()
})

t.test('an expiry erases the messages of its mailbox through an index, a page at a time', (t) => {
  seq = 0
  const store = new Store(2)
  const expiry = (through: number): Draft => {
    return { meta: plainMeta(KIND.expired, 0, 'bob'), body: encodeExpiry({ through, read: 0 }) }
  }
  store.append(message('bob'), message('alice'), message('bob'), message('bob'), message('bob'))
  store.append(expiry(5), message('bob'))
  store.settle()
  store.read('bob')
  store.settle()
  store.reads.splice(0, 2, ...store.reads.slice(0, 2).reverse())
  store.release()
  t.same(store.pages(), [[6, 8]], 'hidden before the bodies are erased')
  while (store.reads.length > 0) store.release()
  t.same([...store.disk.file!.erased], [2, 4, 5])
  t.equal(store.disk.file!.dropped, 7)
  store.append(expiry(1_000))
  store.settle()
  while (store.reads.length > 0) store.release()
  t.same([...store.disk.file!.erased], [2, 4, 5, 6, 8], 'nothing above the entry itself')
  t.end()
})

t.test('many deletions are carried out in transactions of 64 messages', (t) => {
  seq = 0
  const store = new Store()
  const drafts = Array.from({ length: 200 }, () => message('bob'))
  store.append(...drafts.slice(0, 100))
  store.append(...drafts.slice(100))
  store.settle()
  const all = Array.from({ length: 200 }, (_, i) => i + 2)
  store.append(drop('bob', ...all.slice(0, 10)), drop('bob', ...all.slice(10, 138)))
  store.append(drop('bob', ...all.slice(138)))
  store.settle()
  t.same([...store.disk.file!.erased], all)
  t.ok(store.erasures.length >= 4)
  t.ok(
    store.erasures.every((count) => count <= 64),
    store.erasures.join(' '),
  )
  t.equal(store.disk.file!.dropped, 204)
  t.end()
})
