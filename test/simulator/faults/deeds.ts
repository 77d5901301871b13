// The deeds of a trap, done at the moment when a message has been sent: to one of the two hosts, to
// the path between them, or to the message.

import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import { lose, spared } from './files.js'
import { sever } from './paths.js'
import { kill } from './processes.js'
import { whenSaid, type Strike } from './strike.js'

/** Messages that count towards a majority, or announce one. */
const VOTES: readonly MessageName[] = ['PROMISE', 'ACK', 'LAST_IS', 'INSTALLED']

/** Messages that make a store write. */
const WRITES: readonly MessageName[] = [
  ...(['CLAIM', 'APPEND', 'REPLICATE', 'PREPARE', 'INSTALL', 'PULLED'] as const),
]

/** Messages that the others wait for only so long. */
const SLOW: readonly MessageName[] = ['PREPARE', 'PROMISE', 'INSTALL', 'REPLICATE', 'PULLED']

export interface Deed {
  /** Messages after which the deed may do harm; absent: any. */
  readonly after?: readonly MessageName[]
  /** The deed is pointless after other messages. */
  readonly only?: true
  /** The deed is about the message on its way, or its answer, and is done before either arrives. */
  readonly atOnce?: true
  readonly act: (strike: Strike, from: Host, to: Host, message: Message) => void
}

function loseIfSpared(strike: Strike, host: Host): void {
  if (host.disk && spared(strike.cluster, host.disk)) lose(strike, host)
}

/** The answers that count towards a majority, by the message that they answer. */
const ANSWERS: Readonly<Partial<Record<MessageName, MessageName>>> = {
  PREPARE: 'PROMISE',
  REPLICATE: 'ACK',
  LAST_ASK: 'LAST_IS',
}

/** The others get the message only after the receiver has answered, lost its file and come back. */
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

/** The receiver's next write fails, and it goes on without. */
function fill({ random, later }: Strike, _from: Host, { disk }: Host): void {
  if (!disk) return
  disk.full = true
  later(random.spread(5, 1_000), () => (disk.full = false))
}

/**
 * The path is cut for so long that the sender gives up waiting, but not for so long that the
 * connection ends.
 */
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
  const { bootCount } = to
  later(random.spread(1, 3_000), () => {
    // A new process has no connection in common with the sender of the message.
    if (to.alive(bootCount)) cluster.network.repeat(from, to, message)
  })
}

/**
 * The messages of the old incarnation have arrived, and those of others come after the new
 * incarnation's first.
 */
function returnBeforeOthers(strike: Strike, from: Host, to: Host): void {
  const { cluster, random, later } = strike
  if (!returnAsAnother(strike, from)) return
  for (const other of cluster.persistence.filter((host) => host !== from && host !== to)) {
    cluster.network.block(other, to)
    later(random.spread(50, 1_500), () => cluster.network.unblock(other, to))
  }
}

type Struck = (strike: Strike, from: Host, to: Host) => void

/** Waits until INSTALL goes to a learner, where it did not this time. */
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

/** The disk is stuck for about as long as a replica waits for a view that it has promised. */
const installSlowly: Struck = ({ cluster, random }, _from, to) =>
  stick(cluster, to, random.between(1_500, 3_500))

/** The answer comes too late for the others to wait for it, and before they are done. */
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
  'the receiver cannot write': { after: WRITES, only: true, act: fill },
  'the connection is reset': { act: ({ cluster }, from, to) => sever(cluster, from, to) },
  'it comes late': { act: comeLate },
  'it comes again': { act: comeAgain },
  'the receiver answers and comes back as another': {
    after: Object.keys(ANSWERS) as MessageName[],
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
