// P9, case by case: which promises an INSTALL may rest on. What a cluster reaches only once in many
// thousand runs is played to the check here.

import t from 'tap'
import type { Epoch } from '../../../protocol/entries/epoch.js'
import type { DurableState, WriteBatch } from '../../../protocol/machine/storage.js'
import type { Member } from '../../../protocol/entries/incarnation.js'
import type { The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { OverCheck } from './over.js'
import { VoteCheck } from './votes.js'

const EPOCH: Epoch = { counter: 5, slot: 1 }
const LOG_VIEW: Epoch = { counter: 4, slot: 2 }

const life = (slot: number, counter = 1): Member => {
  return { slot, incarnation: { counter, nonce: counter === 1 ? '' : 'anew' } }
}
const FIRST_LIVES = [life(1), life(2), life(3)]
const chainOf = (index: number): Uint8Array => new Uint8Array(32).fill(index)

const header = (
  member: Member,
): Pick<The<'PROMISE'>, 'clock' | 'installed' | 'promised' | 'incarnation'> => {
  return { clock: 1, installed: LOG_VIEW, promised: EPOCH, incarnation: member.incarnation }
}

function host({ slot, incarnation }: Member, voter = true): Host {
  return { name: `s${slot}`, slot, disk: { file: { incarnation }, voter } } as unknown as Host
}

interface Said {
  readonly last?: number
  readonly learner?: boolean
  /** The lives that it has recorded. */
  readonly knows?: readonly Member[]
}

/** s1 proposes, with a log that ends at 10; `promises` come one after the other. */
class Ballot {
  readonly #check = new VoteCheck(3)

  constructor(named: readonly Member[] = FIRST_LIVES) {
    const incarnations = new Map(named.map((member) => [member.slot, member]))
    const durable: DurableState = {
      ...{ promised: EPOCH, logView: LOG_VIEW, last: 10, chain: chainOf(10), commit: 0 },
    }
    const file = { incarnation: life(1).incarnation, incarnations }
    const disk = { slot: 1, file, durable, voter: true } as unknown as Disk
    const batch: WriteBatch = { promised: EPOCH }
    this.#check.written(disk, batch)
  }

  promise(from: Member, { last = 10, learner = false, knows = FIRST_LIVES }: Said = {}): this {
    this.#check.delivered(host(from), host(life(1)), {
      type: 'PROMISE',
      ...header(from),
      epoch: EPOCH,
      logView: LOG_VIEW,
      last: { index: last, chain: chainOf(last) },
      commit: 0,
      incarnations: knows,
      learner,
    })
    return this
  }

  install(members: readonly Member[], last = 10): void {
    this.#check.sent(host(life(1)), host(life(2)), {
      type: 'INSTALL',
      ...header(life(1)),
      epoch: EPOCH,
      members,
      last: { index: last, chain: chainOf(last) },
      commit: 0,
      incarnations: FIRST_LIVES,
    })
  }
}

const P9 = /^P9: /

t.test('a majority of promises that count', async (t) => {
  t.doesNotThrow(() => new Ballot().promise(life(2)).install([life(1), life(2)]))
  t.throws(() => new Ballot().install([life(1)]), P9, 'its own is not enough')
})

t.test('the highest log among those that count', async (t) => {
  const longer = (): Ballot => new Ballot().promise(life(2), { last: 12 })
  t.doesNotThrow(() => longer().install([life(1), life(2)], 12))
  t.throws(() => longer().install([life(1), life(2)], 10), P9)
})

t.test('a superseded life does not count', async (t) => {
  const knows = [life(1), life(2, 2), life(3)]
  const hand = (): Ballot => new Ballot().promise(life(3), { knows }).promise(life(2), { last: 12 })
  t.doesNotThrow(() => hand().install([life(1), life(3)]))
  t.throws(() => hand().install([life(1), life(2), life(3)], 12), P9, 'nor is it a member')
  const alone = new Ballot([life(1), life(2, 2), life(3)]).promise(life(2))
  t.throws(() => alone.install([life(1), life(2)]), P9, 'nor does it make a majority')
})

t.test('a learner does not count, and is a member only if PREPARE named it', async (t) => {
  const blank = life(2, 2)
  const named = [life(1), blank, life(3)]
  const learner = { learner: true, last: 0, knows: named }
  const hand = (known: readonly Member[]): Ballot => new Ballot(known).promise(blank, learner)
  t.throws(() => hand(named).install([life(1), blank]), P9, 'it makes no majority')
  t.doesNotThrow(() =>
    hand(named)
      .promise(life(3))
      .install([life(1), blank, life(3)]),
  )
  t.throws(
    () =>
      hand(FIRST_LIVES)
        .promise(life(3))
        .install([life(1), blank, life(3)]),
    P9,
  )
})

t.test('a late promise is for the next view', async (t) => {
  const hand = (): Ballot => new Ballot().promise(life(2)).promise(life(3), { last: 12 })
  t.doesNotThrow(() => hand().install([life(1), life(2)]), 'it came after the choice')
  t.throws(() => hand().install([life(1), life(2), life(3)]), P9, 'but widens nothing')
})

t.test('only a voter speaks as one', async (t) => {
  const check = new OverCheck()
  const answer: The<'LAST_IS'> = {
    type: 'LAST_IS',
    ...header(life(2)),
    ...{ round: 1, logView: LOG_VIEW, last: 10, learner: false },
  }
  const asker = host(life(1))
  t.doesNotThrow(() => check.sent(host(life(2)), asker, answer))
  t.throws(() => check.sent(host(life(2), false), asker, answer), P9)
  t.throws(() => check.sent(host(life(2, 2)), asker, answer), P9, 'in the name of a former life')
  t.doesNotThrow(() => check.sent(host(life(2), false), asker, { ...answer, learner: true }))
})
