// Faults that wait for a moment: a message of one kind has just been said, and then something
// happens to one of the two, or to the path between them. Chance alone hardly ever hits these.

import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import type { Random } from '../random.js'
import { lose, spared } from './files.js'
import { kill } from './processes.js'
import { whenSaid, type Fault, type Strike } from './strike.js'

const MOMENTS: readonly MessageName[] = [
  ...(['REQUEST', 'REPLY', 'REPLICATE', 'ACK', 'COMMIT', 'ACTIVE'] as const),
  ...(['PREPARE', 'PROMISE', 'INSTALL', 'INSTALLED', 'JOIN', 'PULL', 'PULLED'] as const),
  ...(['LAST_ASK', 'LAST_IS', 'WHO_AM_I', 'YOU_ARE'] as const),
  ...(['CLAIM', 'CLAIMED', 'APPEND', 'APPENDED', 'FENCED', 'ENTRIES'] as const),
  ...(['ELECTION', 'COORDINATOR', 'ORDER', 'VOTE', 'COMMITTED', 'PASS'] as const),
]

/** What counts for something, or makes it count. */
const VOTES: readonly MessageName[] = ['PROMISE', 'ACK', 'LAST_IS', 'INSTALLED']

/** What others go on without after a while, where it is not done. */
const SLOW: readonly MessageName[] = ['PREPARE', 'PROMISE', 'INSTALL', 'REPLICATE', 'PULLED']

type Deed = (strike: Strike, from: Host, to: Host, message: Message) => void

function loseIfSpared(strike: Strike, host: Host): void {
  if (host.disk && spared(strike.cluster, host.disk)) lose(strike, host)
}

function reset({ network }: Cluster, from: Host, to: Host): void {
  const [connection] = network.between(from, to)
  if (connection) network.sever(connection)
}

/** What is said in answer, and counts. */
const ANSWERS: Readonly<Partial<Record<MessageName, MessageName>>> = {
  PREPARE: 'PROMISE',
  REPLICATE: 'ACK',
  LAST_ASK: 'LAST_IS',
}

/** What an answer is to, where the same may be asked again. */
const QUESTIONS: Readonly<Partial<Record<MessageName, MessageName>>> = {
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
const SEQUELS: Readonly<Partial<Record<MessageName, MessageName>>> = {
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

const DEEDS: Readonly<Record<string, Deed>> = {
  'the sender dies': (strike, from) => kill(strike, from),
  'the receiver dies': (strike, _from, to) => kill(strike, to),
  'the sender loses its file': (strike, from) => loseIfSpared(strike, from),
  'the receiver loses its file': (strike, _from, to) => loseIfSpared(strike, to),
  'the receiver stands still'({ random, later }, _from, to) {
    if (!to.running) return
    to.pause()
    later(random.spread(50, 4_000), () => to.resume())
  },
  'the disk of the receiver is stuck': ({ cluster, random }, _from, to) =>
    stick(cluster, to, random.spread(300, 5_000)),
  'the connection is reset': ({ cluster }, from, to) => reset(cluster, from, to),
  'it comes late'({ cluster: { network }, random }, from, to) {
    const within = random.spread(20, 3_000)
    for (const connection of network.between(from, to)) network.severLate(connection, within)
  },
  'it comes again'({ cluster, random, later }, from, to, message) {
    const { life } = to
    later(random.spread(1, 3_000), () => {
      // Another process has no connection in common with the one that it was sent to.
      if (to.alive(life)) cluster.network.repeat(from, to, message)
    })
  },
  'it comes again in place of the next': answerBefore,
  'it comes again after what follows': comeAfter,
  'the receiver answers and comes back as another': answerAndReturn,
  // Its old life's words are there before, and those of the others come after the new one's first.
  'the sender comes back as another'(strike, from, to) {
    const { cluster, random, later } = strike
    if (!returnAsAnother(strike, from)) return
    for (const other of cluster.persistence.filter((host) => host !== from && host !== to)) {
      cluster.network.block(other, to)
      later(random.spread(50, 1_500), () => cluster.network.unblock(other, to))
    }
  },
  'the path is cut': cutPath,
  'the path is cut for long': cutForLong,
  'a learner hears it late'(strike, from, to) {
    if (!to.disk?.voter) return cutForLong(strike, from, to)
    whenSaid(strike.cluster, 'INSTALL', (one, other) => {
      const learns = other.disk?.voter === false
      if (learns) strike.later(0, () => cutForLong(strike, one, other))
      return learns
    })
  },
  // Others do not wait for it, and it is there before they are done.
  'it is answered late, and so is what comes next'({ cluster, random, later }, from, to) {
    stick(cluster, to, random.between(450, 1_500))
    whenSaid(cluster, 'INSTALL', (one, other) => {
      if (one === from) later(0, () => stick(cluster, other, random.between(200, 1_500)))
      return one === from
    })
  },
  'the way back is cut': (strike, from, to) => cutPath(strike, to, from),
}

/** What is said while a cluster comes to rest. */
const LAST_MOMENTS: readonly MessageName[] = [
  ...(['ASK', 'CONSENT', 'PREPARE', 'PROMISE', 'INSTALL', 'INSTALL', 'INSTALLED'] as const),
  ...([
    'INSTALLED',
    'ACTIVE',
    'ACTIVE',
    'JOIN',
    'PULL',
    'PULLED',
    'REQUEST',
    'REPLY',
    'REPLICATE',
    'ACK',
    'COMMIT',
  ] as const),
  ...(['CLAIM', 'CLAIMED', 'ELECTION', 'COORDINATOR', 'ORDER', 'VOTE', 'APPENDED'] as const),
]

/** The last of what lastBlows does is over after so long, milliseconds. */
export const LAST_BLOWS_MS = 3_500

/**
 * After the storm, a few connections end right after something was said; a process ends or two, and one
 * may stand still for so long that the others go on without it.
 */
export function lastBlows(cluster: Cluster, random: Random): void {
  const { timeline, replicas } = cluster
  for (let i = random.between(1, 4); i > 0; i--) {
    const delay = random.float()
    cluster.trap(random.pick(LAST_MOMENTS), (from, to) => {
      timeline.after(delay, () => reset(cluster, from, to))
    })
  }
  for (let i = random.between(0, 2); i > 0; i--) {
    const host = random.pick(replicas)
    timeline.after(random.spread(10, 1_500), () => {
      host.crash()
      timeline.after(random.spread(10, 500), () => {
        if (!host.up) cluster.start(host)
      })
    })
  }
  if (random.chance(0.5)) return
  const host = random.pick(replicas)
  timeline.after(random.spread(10, 500), () => {
    if (!host.running) return
    host.pause()
    timeline.after(random.spread(300, 3_000), () => host.resume())
  })
}

/** Deeds about what is on its way, or about the answer. */
const AT_ONCE = /answers|learner|late, and/

function lurk(strike: Strike, moment: MessageName, deed: string): void {
  const { cluster, random, tell, later } = strike
  // Before the answer comes where it is about the answer.
  const delay = AT_ONCE.test(deed) || random.chance(0.5) ? 0 : random.exponential(5)
  cluster.trap(moment, (from, to, message) => {
    later(delay, () => {
      tell(`${from.name} has said ${moment} to ${to.name}: ${deed}`)
      DEEDS[deed]!(strike, from, to, message)
    })
  })
}

/** Mostly one at which the deed may do harm. */
function momentFor(random: Random, deed: string): MessageName {
  if (deed.includes('in place')) return random.pick(Object.keys(QUESTIONS) as MessageName[])
  if (deed.includes('what follows')) return random.pick(Object.keys(SEQUELS) as MessageName[])
  if (deed.includes('disk') || deed.includes('long')) return random.pick(SLOW)
  if (deed.includes('learner')) return 'INSTALL'
  if (deed.includes('answered late')) return 'PREPARE'
  if (random.chance(0.2)) return random.pick(MOMENTS)
  if (deed.includes('answers')) return random.pick(Object.keys(ANSWERS) as MessageName[])
  return random.pick(deed.includes('file') || deed.includes('another') ? VOTES : MOMENTS)
}

export const ambush: Fault = {
  every: 800,
  strike(strike) {
    const { random } = strike
    const deed = random.pick(Object.keys(DEEDS))
    lurk(strike, momentFor(random, deed), deed)
  },
}

/** So many pairs of a moment and a deed a run. */
const OBSESSIONS = 4

/** The same moments and the same deeds, again and again. */
export const obsession: Fault = {
  every: 200,
  strike(strike) {
    const { cluster, random, theme } = strike
    const pairs = Array.from({ length: OBSESSIONS }, () => {
      const deed = theme.pick(Object.keys(DEEDS))
      return { deed, moment: momentFor(theme, deed) }
    })
    const { moment, deed } = random.pick(pairs)
    if (!cluster.trapped(moment)) lurk(strike, moment, deed)
  },
}
