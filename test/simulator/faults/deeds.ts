// What is done at the moment that a message has been said: to one of the two, to the path between
// them, or to the message.

import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { lose, spared } from './files.js'
import { sever } from './paths.js'
import { kill } from './processes.js'
import { whenSaid, type Strike } from './strike.js'

/** What counts for something, or makes it count. */
const VOTES: readonly MessageName[] = ['PROMISE', 'ACK', 'LAST_IS', 'INSTALLED']

/** What others go on without after a while, where it is not done. */
const SLOW: readonly MessageName[] = ['PREPARE', 'PROMISE', 'INSTALL', 'REPLICATE', 'PULLED']

export interface Deed {
  /** After which messages it may do harm, where not after any. */
  readonly after?: readonly MessageName[]
  /** It makes no sense after others. */
  readonly only?: true
  /** It is about what is on its way, or about the answer: done before either comes. */
  readonly atOnce?: true
  readonly act: (strike: Strike, from: Host, to: Host, message: Message) => void
}

function loseIfSpared(strike: Strike, host: Host): void {
  if (host.disk && spared(strike.cluster, host.disk)) lose(strike, host)
}

type Pairs = Readonly<Partial<Record<MessageName, MessageName>>>

const namesIn = (pairs: Pairs): readonly MessageName[] => Object.keys(pairs) as MessageName[]

/** What is said in answer, and counts. */
const ANSWERS: Pairs = {
  PREPARE: 'PROMISE',
  REPLICATE: 'ACK',
  LAST_ASK: 'LAST_IS',
}

/** What an answer is to, where the same may be asked again. */
const QUESTIONS: Pairs = {
  REPLY: 'REQUEST',
  ACK: 'REPLICATE',
  PROMISE: 'PREPARE',
  INSTALLED: 'INSTALL',
  PULLED: 'PULL',
  LAST_IS: 'LAST_ASK',
  YOU_ARE: 'WHO_AM_I',
  CLAIMED: 'CLAIM',
  APPENDED: 'APPEND',
  VOTE: 'ORDER',
}

/** What the same sender says to the same receiver once it has got further. */
const SEQUELS: Pairs = {
  ASK: 'PREPARE',
  PREPARE: 'INSTALL',
  INSTALL: 'ACTIVE',
  REQUEST: 'REPLICATE',
  REPLICATE: 'COMMIT',
  JOIN: 'PROMISE',
  PROMISE: 'INSTALLED',
  ORDER: 'COMMITTED',
}

/** The answer comes once more as soon as its hearer has asked again: before the true one. */
function answerBefore({ cluster }: Strike, from: Host, to: Host, message: Message): void {
  const { life } = to
  whenSaid(cluster, QUESTIONS[message.type] ?? 'REQUEST', (asks, asked) => {
    const again = asks === to && asked === from && to.alive(life)
    if (again) cluster.network.repeat(from, to, message)
    return again || !to.alive(life)
  })
}

/** It comes once more while its receiver is at what came after it. */
function comeAfter(strike: Strike, from: Host, to: Host, message: Message): void {
  const { cluster, random, later } = strike
  const { life } = to
  whenSaid(cluster, SEQUELS[message.type] ?? 'COMMIT', (one, other) => {
    const next = one === from && other === to
    if (next) {
      later(random.exponential(10), () => {
        if (to.alive(life)) cluster.network.repeat(from, to, message)
      })
    }
    return next
  })
}

/** Others hear of it only once the receiver has answered, lost its file and come back. */
function answerAndReturn(strike: Strike, from: Host, to: Host, { type }: Message): void {
  const { cluster, random, later } = strike
  const { network, persistence } = cluster
  for (const other of persistence.filter((host) => host !== from && host !== to)) {
    network.block(from, other)
    later(random.spread(50, 1_500), () => network.unblock(from, other))
  }
  cluster.trap(ANSWERS[type] ?? 'PROMISE', (one) => {
    later(0, () => {
      if (one === to) returnAsAnother(strike, one)
    })
  })
}

function returnAsAnother({ cluster, random, later, restart }: Strike, host: Host): boolean {
  const { disk } = host
  if (!disk || !spared(cluster, disk)) return false
  host.crash()
  disk.lose()
  later(random.spread(2, 50), () => restart(host))
  return true
}

function cutPath({ cluster: { network }, random, later }: Strike, from: Host, to: Host): void {
  network.block(from, to)
  later(random.spread(100, 4_000), () => network.unblock(from, to))
}

function stick({ timeline }: Cluster, { disk }: Host, ms: number): void {
  if (disk) disk.stuckUntil = timeline.now + ms
}

/** So long that it is given up, and not so long that the connection is. */
function cutForLong({ cluster: { network }, random, later }: Strike, from: Host, to: Host): void {
  network.block(from, to)
  later(random.between(2_000, 2_900), () => network.unblock(from, to))
}

function standStill({ random, later }: Strike, _from: Host, to: Host): void {
  if (!to.running) return
  to.pause()
  later(random.spread(50, 4_000), () => to.resume())
}

function comeLate({ cluster: { network }, random }: Strike, from: Host, to: Host): void {
  const within = random.spread(20, 3_000)
  for (const connection of network.between(from, to)) network.severLate(connection, within)
}

function comeAgain(strike: Strike, from: Host, to: Host, message: Message): void {
  const { cluster, random, later } = strike
  const { life } = to
  later(random.spread(1, 3_000), () => {
    // Another process has no connection in common with the one that it was sent to.
    if (to.alive(life)) cluster.network.repeat(from, to, message)
  })
}

/** Its old life's words are there before, and those of the others come after the new one's first. */
function returnBeforeOthers(strike: Strike, from: Host, to: Host): void {
  const { cluster, random, later } = strike
  if (!returnAsAnother(strike, from)) return
  for (const other of cluster.persistence.filter((host) => host !== from && host !== to)) {
    cluster.network.block(other, to)
    later(random.spread(50, 1_500), () => cluster.network.unblock(other, to))
  }
}

type Struck = (strike: Strike, from: Host, to: Host) => void

/** Done where it is said to a learner. */
const toLearner =
  (act: Struck): Struck =>
  (strike, from, to) => {
    if (to.disk?.voter === false) return act(strike, from, to)
    whenSaid(strike.cluster, 'INSTALL', (one, other) => {
      const learns = other.disk?.voter === false
      if (learns) strike.later(0, () => act(strike, one, other))
      return learns
    })
  }

/** About as long as it waits for a view that it has promised. */
const installSlowly: Struck = ({ cluster, random }, _from, to) =>
  stick(cluster, to, random.between(1_500, 3_500))

/** Others do not wait for it, and it is there before they are done. */
function answerLate({ cluster, random, later }: Strike, from: Host, to: Host): void {
  stick(cluster, to, random.between(450, 1_500))
  whenSaid(cluster, 'INSTALL', (one, other) => {
    if (one === from) later(0, () => stick(cluster, other, random.between(200, 1_500)))
    return one === from
  })
}

export const DEEDS: Readonly<Record<string, Deed>> = {
  'the sender dies': { act: (strike, from) => kill(strike, from) },
  'the receiver dies': { act: (strike, _from, to) => kill(strike, to) },
  'the sender loses its file': {
    after: VOTES,
    act: (strike, from) => loseIfSpared(strike, from),
  },
  'the receiver loses its file': {
    after: VOTES,
    act: (strike, _from, to) => loseIfSpared(strike, to),
  },
  'the receiver stands still': { act: standStill },
  'the disk of the receiver is stuck': {
    after: SLOW,
    only: true,
    act: ({ cluster, random }, _from, to) => stick(cluster, to, random.spread(300, 5_000)),
  },
  'the connection is reset': { act: ({ cluster }, from, to) => sever(cluster, from, to) },
  'it comes late': { act: comeLate },
  'it comes again': { act: comeAgain },
  'it comes again in place of the next': {
    after: namesIn(QUESTIONS),
    only: true,
    act: answerBefore,
  },
  'it comes again after what follows': { after: namesIn(SEQUELS), only: true, act: comeAfter },
  'the receiver answers and comes back as another': {
    after: namesIn(ANSWERS),
    atOnce: true,
    act: answerAndReturn,
  },
  'the sender comes back as another': { after: VOTES, act: returnBeforeOthers },
  'the path is cut': { act: cutPath },
  'the path is cut for long': { after: SLOW, only: true, act: cutForLong },
  'a learner hears it late': {
    after: ['INSTALL'],
    only: true,
    atOnce: true,
    act: toLearner(cutForLong),
  },
  'a learner is slow to do it': {
    after: ['INSTALL'],
    only: true,
    atOnce: true,
    act: toLearner(installSlowly),
  },
  'it is answered late, and so is what comes next': {
    after: ['PREPARE'],
    only: true,
    atOnce: true,
    act: answerLate,
  },
  'the way back is cut': { act: (strike, from, to) => cutPath(strike, to, from) },
}
