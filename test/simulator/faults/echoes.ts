// Messages that come once more when they are out of date: an answer just before the next true one,
// and a message after a later one of the same sender. An echo destroys nothing, so echoes may be
// frequent.

import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'
import type { Host } from '../host.js'
import { whenSaid, type Fault, type Strike } from './strike.js'

type Pairs = Readonly<Partial<Record<MessageName, MessageName>>>

/** The question of each answer, where the same question may be asked again. */
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

/** The message that the same sender sends to the same receiver later. */
const SEQUELS: Pairs = {
  ASK: 'PREPARE',
  PREPARE: 'INSTALL',
  INSTALL: 'ACTIVE',
  REQUEST: 'REPLICATE',
  REPLICATE: 'COMMIT',
  JOIN: 'PROMISE',
  PROMISE: 'INSTALLED',
}

type Echo = (strike: Strike, from: Host, to: Host, message: Message, next: MessageName) => void

/** The answer comes once more as soon as its receiver has asked again. */
const beforeTheNext: Echo = ({ cluster }, from, to, message, question) => {
  const { bootCount } = to
  whenSaid(cluster, question, (asks, asked) => {
    const again = asks === to && asked === from && to.alive(bootCount)
    if (again) cluster.network.repeat(from, to, message)
    return again || !to.alive(bootCount)
  })
}

/** The message comes once more while its receiver handles the later one. */
const afterTheNext: Echo = ({ cluster, random, later }, from, to, message, sequel) => {
  const { bootCount } = to
  whenSaid(cluster, sequel, (one, other) => {
    const next = one === from && other === to
    if (next) {
      later(random.exponential(10), () => {
        if (to.alive(bootCount)) cluster.network.repeat(from, to, message)
      })
    }
    return next
  })
}

function echo(pairs: Pairs, act: Echo): Fault {
  return {
    every: 150,
    strike(strike) {
      const { cluster, random, tell, later } = strike
      const [name, next] = random.pick(Object.entries(pairs)) as [MessageName, MessageName]
      cluster.trap(name, (from, to, message) => {
        later(0, () => {
          tell(`${from.name}'s ${name} to ${to.name}`)
          act(strike, from, to, message, next)
        })
      })
    },
  }
}

export const echoBefore = echo(QUESTIONS, beforeTheNext)
export const echoAfter = echo(SEQUELS, afterTheNext)
