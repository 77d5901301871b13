// Faults that wait for a moment: a message of one kind has just been sent, and then one of the two
// hosts, or the path between them, is hit. Random times hardly ever hit these moments.

import type { MessageName } from '../../../protocol/messages/catalogue.js'
import type { Random } from '../random.js'
import { DEEDS } from './deeds.js'
import type { Fault, Strike } from './strike.js'

const MOMENTS: readonly MessageName[] = [
  ...(['REQUEST', 'REPLY', 'REPLICATE', 'ACK', 'COMMIT', 'ACTIVE'] as const),
  ...(['PREPARE', 'PROMISE', 'INSTALL', 'INSTALLED', 'JOIN', 'PULL', 'PULLED'] as const),
  ...(['LAST_ASK', 'LAST_IS', 'WHO_AM_I', 'YOU_ARE'] as const),
  ...(['CLAIM', 'CLAIMED', 'APPEND', 'APPENDED', 'FENCED', 'BATCHES'] as const),
  ...(['ELECTION', 'COORDINATOR', 'ORDER', 'VOTE', 'FORWARD'] as const),
]

/** The name of a deed, and mostly a message after which the deed may do harm. */
function choose(random: Random): readonly [deed: string, moment: MessageName] {
  const deed = random.pick(Object.keys(DEEDS))
  const { after = MOMENTS, only = false } = DEEDS[deed]!
  return [deed, random.pick(only || !random.chance(0.2) ? after : MOMENTS)]
}

function lurk(strike: Strike, deed: string, moment: MessageName): void {
  const { cluster, random, tell, later } = strike
  const { atOnce = false, act } = DEEDS[deed]!
  const delay = atOnce || random.chance(0.5) ? 0 : random.exponential(5)
  cluster.trap(moment, (from, to, message) => {
    later(delay, () => {
      tell(`${from.name} has said ${moment} to ${to.name}: ${deed}`)
      act(strike, from, to, message)
    })
  })
}

export const ambush: Fault = {
  every: 500,
  strike: (strike) => lurk(strike, ...choose(strike.random)),
}

/** Number of pairs of a moment and a deed in a run. */
const OBSESSIONS = 4

/** The same few pairs of a moment and a deed strike again and again. */
export const obsession: Fault = {
  every: 200,
  strike(strike) {
    const { cluster, random, theme } = strike
    const pairs = Array.from({ length: OBSESSIONS }, () => choose(theme))
    const [deed, moment] = random.pick(pairs)
    if (!cluster.trapped(moment)) lurk(strike, deed, moment)
  },
}
