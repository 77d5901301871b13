// P9, case by case: the promises that an INSTALL may rest on. The test plays to the check the
// courses that a cluster reaches only once in many thousand runs.

import t from 'tap'
import type { Epoch } from '../../../protocol/entries/epoch.js'
import type { DurableState, Transaction } from '../../../protocol/machine/storage.js'
import type { Member } from '../../../protocol/entries/incarnation.js'
import type { The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import { IncarnationCheck } from './incarnations.js'
import { PromiseCheck } from './promises.js'

const EPOCH: Epoch = { counter: 5, slot: 1 }
const LOG_VIEW: Epoch = { counter: 4, slot: 2 }

const member = (slot: number, counter = 1): Member => {
  return { slot, incarnation: { counter, nonce: counter === 1 ? '' : 'anew' } }
}
const FIRST_MEMBERS = [member(1), member(2), member(3)]
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
  /** The incarnations that the replica has recorded. */
  readonly knows?: readonly Member[]
}

/** s1 proposes, with a log that ends at 10; `promises` come one after the other. */
class Ballot {
  readonly #check = new PromiseCheck(3)

  constructor(named: readonly Member[] = FIRST_MEMBERS) {
    const incarnations = new Map(named.map((member) => [member.slot, member]))
    const durable: DurableState = {
      ...{ promised: EPOCH, logView: LOG_VIEW, last: 10, chain: chainOf(10), commit: 0 },
    }
    const file = { incarnation: member(1).incarnation, incarnations }
    const disk = { slot: 1, file, durable, voter: true } as unknown as Disk
    const batch: Transaction = { promised: EPOCH }
    this.#check.written(disk, batch)
  }

  promise(from: Member, { last = 10, learner = false, knows = FIRST_MEMBERS }: Said = {}): this {
    this.#check.delivered(host(from), host(member(1)), {
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
    this.#check.sent(host(member(1)), host(member(2)), {
      type: 'INSTALL',
      ...header(member(1)),
      epoch: EPOCH,
      members,
      last: { index: last, chain: chainOf(last) },
      commit: 0,
      incarnations: FIRST_MEMBERS,
    })
  }
}

const P9 = /^P9: /

t.test('a view needs a majority of promises that count', async (t) => {
  t.doesNotThrow(() => new Ballot().promise(member(2)).install([member(1), member(2)]))
  t.throws(() => new Ballot().install([member(1)]), P9, 'its own is not enough')
})

t.test('a view begins with the highest log among the promises that count', async (t) => {
  const longer = (): Ballot => new Ballot().promise(member(2), { last: 12 })
  t.doesNotThrow(() => longer().install([member(1), member(2)], 12))
  t.throws(() => longer().install([member(1), member(2)], 10), P9)
})

t.test('a superseded incarnation does not count', async (t) => {
  const knows = [member(1), member(2, 2), member(3)]
  const hand = (): Ballot =>
    new Ballot().promise(member(3), { knows }).promise(member(2), { last: 12 })
  t.doesNotThrow(() => hand().install([member(1), member(3)]))
  t.throws(() => hand().install([member(1), member(2), member(3)], 12), P9, 'nor is it a member')
  const alone = new Ballot([member(1), member(2, 2), member(3)]).promise(member(2))
  t.throws(() => alone.install([member(1), member(2)]), P9, 'nor does it make a majority')
})

t.test('a learner does not count, and is a member only if PREPARE named it', async (t) => {
  const blank = member(2, 2)
  const named = [member(1), blank, member(3)]
  const learner = { learner: true, last: 0, knows: named }
  const hand = (known: readonly Member[]): Ballot => new Ballot(known).promise(blank, learner)
  t.throws(() => hand(named).install([member(1), blank]), P9, 'it makes no majority')
  t.doesNotThrow(() =>
    hand(named)
      .promise(member(3))
      .install([member(1), blank, member(3)]),
  )
  t.throws(
    () =>
      hand(FIRST_MEMBERS)
        .promise(member(3))
        .install([member(1), blank, member(3)]),
    P9,
  )
})

t.test('a late promise is for the next view', async (t) => {
  const hand = (): Ballot => new Ballot().promise(member(2)).promise(member(3), { last: 12 })
  t.doesNotThrow(() => hand().install([member(1), member(2)]), 'it came after the choice')
  t.throws(() => hand().install([member(1), member(2), member(3)]), P9, 'but widens nothing')
})

t.test('a learner that speaks as a voter is a violation', async (t) => {
  const check = new IncarnationCheck()
  const answer: The<'LAST_IS'> = {
    type: 'LAST_IS',
    ...header(member(2)),
    ...{ round: 1, logView: LOG_VIEW, last: 10, learner: false },
  }
  const asker = host(member(1))
  t.doesNotThrow(() => check.sent(host(member(2)), asker, answer))
  t.throws(() => check.sent(host(member(2), false), asker, answer), P9)
  t.throws(
    () => check.sent(host(member(2, 2)), asker, answer),
    P9,
    'in the name of an earlier incarnation',
  )
  t.doesNotThrow(() => check.sent(host(member(2), false), asker, { ...answer, learner: true }))
})
