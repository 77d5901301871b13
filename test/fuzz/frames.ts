// Generates fuzz frames from a seed: messages with changed values, well-formed messages that are
// not due, and malformed frames of every kind.

import { BY_NAME, CONVERSATIONS } from '../../protocol/messages/catalogue.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { decodeMessage } from '../../protocol/wire/codec.js'
import { WireError } from '../../protocol/schema/schema.js'
import type { WireValue } from '../../protocol/schema/schema.js'
import type { Random } from '../simulator/random.js'
import { SEEDS } from './seeds.js'
import { framed, pack } from './packed.js'
import type { Pool } from './pool.js'
import { flipped, poison, vary } from './vary.js'

export type Conversation = keyof typeof CONVERSATIONS

export interface Frame {
  /** Kind of the frame, for counting. */
  readonly kind: string
  readonly bytes: Buffer
  /** Whether the frame is no message, so that one ERROR and the end must follow. */
  readonly malformed: boolean
}

const REFUSED_LENGTHS = [0, 2 ** 24, 2 ** 31, 2 ** 32 - 1]

/** The message in these bytes; null if they are no message. */
export function messageIn(body: Buffer): Message | null {
  try {
    return decodeMessage(Buffer.from(body))
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

export class Frames {
  readonly #random: Random
  readonly #pool: Pool
  readonly #seldom: ReadonlySet<string>

  /** `seldom` names messages that are generated rarely. */
  constructor(random: Random, pool: Pool, seldom: ReadonlySet<string> = new Set()) {
    this.#random = random
    this.#pool = pool
    this.#seldom = seldom
  }

  /** The next frame; `well` is the share of frames that are messages. */
  next(conversations: readonly Conversation[], well: number): Frame {
    const random = this.#random
    if (random.chance(well)) return this.message(conversations)
    const from = random.below(20)
    if (from < 8) return this.#poisoned(conversations)
    if (from < 13) return this.#bitsFlipped(conversations)
    if (from < 15) return this.#cutShort(conversations)
    if (from < 16) return this.#trailing(conversations)
    if (from < 17) return this.#nested()
    if (from < 18) return this.#length()
    return this.#noise()
  }

  /**
   * A message of one of these conversations, with values changed as far as the catalogue allows.
   */
  message(conversations: readonly Conversation[]): Frame {
    const random = this.#random
    const base = this.#base(conversations)
    for (let tries = 0; tries < 8; tries++) {
      const likely = random.pick([0.02, 0.1, 0.3])
      const body = pack(vary(valueOf(base), likely, random, this.#pool), random)
      if (messageIn(body)) return well(`message ${base.type}`, body)
    }
    return well(`message ${base.type}`, pack(valueOf(base), random))
  }

  /** A message heard before, or an example. */
  #base(conversations: readonly Conversation[]): Message {
    const random = this.#random
    const all = Object.keys(CONVERSATIONS[random.pick(conversations)])
    const types = random.chance(0.02) ? all : all.filter((type) => !this.#seldom.has(type))
    const type = random.pick(types)
    const heard = random.chance(0.6) ? this.#pool.heard(type, random) : undefined
    return heard ?? random.pick(SEEDS.get(type)!)
  }

  #poisoned(conversations: readonly Conversation[]): Frame {
    const { value, raw } = poison(valueOf(this.#base(conversations)), this.#random)
    return ill(`forbidden: ${raw.name}`, pack(value, this.#random))
  }

  #bitsFlipped(conversations: readonly Conversation[]): Frame {
    let body: Uint8Array = pack(valueOf(this.#base(conversations)), this.#random)
    for (let i = this.#random.between(1, 4); i > 0; i--) body = flipped(body, this.#random)
    return judged('flipped bits', Buffer.from(body))
  }

  #cutShort(conversations: readonly Conversation[]): Frame {
    const body = pack(valueOf(this.#base(conversations)), this.#random)
    return ill('cut short', body.subarray(0, this.#random.between(1, body.length - 1)))
  }

  #trailing(conversations: readonly Conversation[]): Frame {
    const body = pack(valueOf(this.#base(conversations)), this.#random)
    const more = this.#random.bytes(this.#random.between(1, 9))
    return ill('trailing bytes', Buffer.concat([body, more]))
  }

  #nested(): Frame {
    const depth = this.#random.between(9, 4_000)
    return ill('nesting', Buffer.alloc(depth, this.#random.pick([0x91, 0x81, 0xdc])))
  }

  #length(): Frame {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(this.#random.pick(REFUSED_LENGTHS))
    return { kind: 'length', bytes, malformed: true }
  }

  #noise(): Frame {
    return judged('noise', Buffer.from(this.#random.bytes(this.#random.between(1, 200))))
  }
}

export function valueOf(message: Message): WireValue[] {
  return BY_NAME.get(message.type)!.write(message)
}

const well = (kind: string, body: Buffer): Frame => {
  return { kind, bytes: framed(body), malformed: false }
}
const ill = (kind: string, body: Buffer): Frame => {
  return { kind, bytes: framed(body), malformed: true }
}
const judged = (kind: string, body: Buffer): Frame =>
  messageIn(body) ? well(kind, body) : ill(kind, body)
