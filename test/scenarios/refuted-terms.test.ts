// A term that does not exist, named once and believed, would keep a ring from claiming any later
// term. The log tells which terms exist; a store that has lost the newest ones knows only the
// earlier ones. p1 is real and alone in its ring; the test plays the store.

import t from 'tap'
import { CHAIN_ZERO, packDrafts, withChain, type Batch } from '../../protocol/entries/batch.js'
import { KIND, plainMeta } from '../../protocol/entries/entry.js'
import { encodeTerm } from '../../protocol/entries/fence.js'
import type { Effect, Input, LinkId, Machine } from '../../protocol/machine/machine.js'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import { LIMITS, TIMINGS } from '../../protocol/machine/config.js'
import { ProcessingReplica } from '../../protocol/replicas/processing.js'
import { ORIGIN } from '../simulator/origin.js'
import { readKey, seal } from '../simulator/compute.js'
import { Stage } from './stage.js'

const NOBODY = { slot: 9, boot: 'of somebody else', nonce: 'of somebody else' }

/** A log of TERM 1 to TERM n. */
function logOfTerms(n: number): Batch[] {
  const log: Batch[] = []
  for (let term = 1; term <= n; term++) {
    const place = {
      first: term,
      epoch: { counter: 1, slot: 1 },
      term,
      k: 0,
      lamport: term,
      time: 0,
    }
    const contents = packDrafts([{ meta: plainMeta(KIND.term), body: encodeTerm(NOBODY) }])
    log.push(withChain(log.at(-1)?.chain ?? CHAIN_ZERO, { ...place, ...contents }))
  }
  return log
}

/** A store whose feed has a log of terms, and which answers claims with some newest term. */
class PlayedHome implements Machine {
  readonly #log: Batch[]
  readonly #newest: () => number
  readonly #mains = new Set<LinkId>()
  #effects: Effect[] = []

  constructor(log: Batch[], newest: () => number) {
    this.#log = log
    this.#newest = newest
  }

  step(input: Input): Effect[] {
    if (input.type === 'link-up' && input.peer.role === 'processing') {
      if (input.peer.lane === 'main') this.#mains.add(input.link)
    } else if (input.type === 'tick') {
      for (const link of this.#mains) this.#say(link, this.#sign)
    } else if (input.type === 'message') this.#hear(input.link, input.message)
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  get #sign(): Message {
    const [last, newest] = [this.#log.length, this.#newest()]
    return {
      ...{
        type: 'STORE_HEARTBEAT',
        status: 'normal',
        epoch: { counter: 1, slot: 1 },
        members: [1],
      },
      ...{
        last,
        committed: last,
        lamport: last,
        term: newest,
        reaches: [1],
        hears: [1],
        full: false,
      },
    }
  }

  #say(link: LinkId, message: Message): void {
    this.#effects.push({ type: 'send', link, message })
  }

  #hear(link: LinkId, message: Message): void {
    const committed = this.#log.length
    if (message.type === 'FEED' && message.step === 'begin') {
      this.#say(link, { type: 'PLACED', after: message.after, held: true })
      this.#say(link, { type: 'BATCHES', batches: this.#log.slice(message.after) })
    } else if (message.type === 'TIP') {
      this.#say(link, { type: 'TIP_IS', request: message.request, index: committed })
    } else if (message.type === 'CLAIM') this.#refuse(link, message)
  }

  #refuse(link: LinkId, { nonce }: The<'CLAIM'>): void {
    const newest = this.#newest()
    const rest = { term: newest, index: newest, newestTerm: newest, owner: NOBODY }
    this.#say(link, { type: 'CLAIMED', nonce, outcome: 'lost', ...rest })
  }

  readonly debugWords = {}

  metrics(): Record<string, number> {
    return {}
  }
}

/** `terms`: number of terms in the log; `newest`: the newest term that the store names. */
function play(terms: number, newest: () => number): Stage {
  const stage = new Stage(1)
  stage.add('persistence', 1, () => new PlayedHome(logOfTerms(terms), newest))
  stage.add('processing', 1, (start) => {
    const sizes = { slots: 1, stores: 1, timings: TIMINGS, limits: LIMITS, readKey, seal }
    const config = { ...ORIGIN, self: 1, ...start, ...sizes }
    return new ProcessingReplica({ ...config, registration: 'open' })
  })
  stage.start()
  return stage
}

t.test(
  'a term that is not in the log is refuted, and the next claim expects one that is',
  async (t) => {
    let said = 7
    const stage = play(2, () => said)
    stage.until('a claim that expects term 7', () => {
      return stage.sent('CLAIM').some(({ message }) => message.expected === 7)
    })
    said = 2
    stage.until('it is refuted', () => stage.logged('p1 term-refuted'))
    t.ok(stage.sent('TIP').length > 0, 'the log was asked')
    t.equal(stage.untilSent('p1', 's1', 'CLAIM').expected, 2)
  },
)

t.test('a store that is out of date refutes nothing', async (t) => {
  const stage = play(2, () => 1)
  stage.until('claims', () => stage.sent('CLAIM').length > 10)
  t.ok(stage.sent('TIP').length > 0, 'the log was asked')
  t.notOk(stage.logged('p1 term-refuted'))
  const expected = stage.sent('CLAIM').map(({ message }) => message.expected)
  t.same([...new Set(expected.slice(1))], [2])
})
