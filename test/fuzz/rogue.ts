// A replica, or a client, that does its work and beside it says anything at all on the links that it
// has: a machine around the product's own, for the simulator's hosts. What it hears and says
// teaches it what else to say.

import type {
  DebugWords,
  Effect,
  Input,
  LinkId,
  Machine,
  Now,
  Peer,
} from '../../protocol/machine/machine.js'
import type { Tier } from '../../protocol/slots.js'
import type { Random } from '../simulator/random.js'
import { Frames, messageIn, type Conversation } from './frames.js'
import { Pool } from './pool.js'

/** What is spoken between the two; a link hands on nothing else. */
export function conversationOf(own: Tier | 'client', other: Peer['role']): Conversation {
  if (own === 'client' || other === 'client') return 'client'
  if (own !== other) return 'logService'
  return own === 'processing' ? 'ring' : 'persistence'
}

export class Rogue implements Machine {
  readonly #own: Tier | 'client'
  readonly #inner: Machine
  readonly #random: Random
  readonly #frames: Frames
  readonly #pool = new Pool()
  readonly #links = new Map<LinkId, Conversation>()
  /** Frames that a tick brings on a link, in the mean. */
  readonly #perTick: number
  sent = 0
  /** It has said enough, and does its work alone. */
  quiet = false

  constructor(own: Tier | 'client', inner: Machine, random: Random) {
    this.#own = own
    this.#inner = inner
    this.#random = random
    this.#frames = new Frames(random, this.#pool)
    this.#perTick = random.pick([0.02, 0.2, 1, 4])
  }

  step(input: Input, now: Now): Effect[] {
    if (input.type === 'link-up' && (this.#own === 'client' || input.peer.role !== 'client')) {
      // A replica does its clients no harm: they are not what is tried here.
      this.#links.set(input.link, conversationOf(this.#own, input.peer.role))
    }
    if (input.type === 'link-down') this.#links.delete(input.link)
    if (input.type === 'message') this.#pool.learn(input.message)
    const effects = this.#inner.step(input, now)
    for (const effect of effects) if (effect.type === 'send') this.#pool.learn(effect.message)
    return input.type === 'tick' && !this.quiet ? [...effects, ...this.#nonsense()] : effects
  }

  #nonsense(): Effect[] {
    return [...this.#links].flatMap(([link, conversation]) => {
      const count = Math.floor(this.#perTick + this.#random.float())
      return Array.from({ length: count }, (): Effect => {
        this.sent++
        const { bytes } = this.#frames.message([conversation])
        return { type: 'send', link, message: messageIn(bytes.subarray(4))! }
      })
    })
  }

  get debugWords(): DebugWords {
    return this.#inner.debugWords
  }

  metrics(): Record<string, number> {
    return this.#inner.metrics()
  }
}
