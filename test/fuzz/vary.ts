// Changes a message's value: mildly, so that it may still be a message, or by one forbidden value.

import type { WireValue } from '../../protocol/schema/schema.js'
import type { Random } from '../simulator/random.js'
import { FORBIDDEN, type Raw, type Wild } from './packed.js'
import type { Pool } from './pool.js'

const EDGES = [
  ...[0, 1, 2, 3, 9, 10, 16, 17, 127, 128, 255, 256, 512, 65_535, 65_536],
  ...[2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 48, 2 ** 53 - 2, 2 ** 53 - 1],
]
const WORDS = ['', 'alice', 'bob', '__proto__', 'constructor', 'toString', '\0', 'a\nb', 'é', '😀']

function number(value: number, random: Random, pool: Pool): number {
  const from = random.below(8)
  if (from < 2) return random.pick(EDGES)
  if (from < 5) return pool.numbers.pick(random) ?? value
  if (from < 7) return Math.max(0, Math.min(2 ** 53 - 1, value + random.between(-2, 2)))
  return random.u32()
}

function word(value: string, random: Random, pool: Pool): string {
  const from = random.below(4)
  if (from === 0) return random.pick(WORDS)
  if (from < 3) return pool.words.pick(random) ?? value
  return 'x'.repeat(random.between(0, 70))
}

function bytes(value: Uint8Array, random: Random, pool: Pool): Uint8Array {
  const from = random.below(6)
  if (from === 0) return random.bytes(value.length)
  if (from === 1) return new Uint8Array(value.length)
  if (from === 2) return random.bytes(random.between(0, 64))
  if (from === 3 && value.length > 0) return flipped(value, random)
  return pool.bytes.pick(random) ?? value
}

export function flipped(value: Uint8Array, random: Random): Uint8Array {
  const out = Uint8Array.from(value)
  out[random.below(out.length)]! ^= 1 << random.below(8)
  return out
}

function list(values: readonly WireValue[], random: Random): WireValue[] {
  const at = random.below(values.length + 1)
  const from = random.below(3)
  if (from === 0) return values.filter((_, i) => i !== at)
  if (from === 1) return [...values.slice(0, at), ...values.slice(at - 1)]
  return random.shuffled(values)
}

/** Another value, usually of the same kind. */
function other(value: WireValue, random: Random, pool: Pool): WireValue {
  if (random.chance(0.03)) return random.pick<WireValue>([null, true, 0, '', [], new Uint8Array(0)])
  if (typeof value === 'number' || typeof value === 'bigint') {
    return number(Number(value), random, pool)
  }
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return word(value, random, pool)
  if (value instanceof Uint8Array) return bytes(value, random, pool)
  if (Array.isArray(value)) return list(value, random)
  return value
}

/** Changes each value within the message with probability `likely`; the tag stays. */
export function vary(
  message: readonly WireValue[],
  likely: number,
  random: Random,
  pool: Pool,
): WireValue[] {
  const within = (value: WireValue): WireValue => {
    const changed = random.chance(likely) ? other(value, random, pool) : value
    return Array.isArray(changed) ? changed.map(within) : changed
  }
  return [message[0]!, ...message.slice(1).map(within)]
}

/** Replaces one value of the message, at any depth, by a forbidden one. */
export function poison(message: readonly WireValue[], random: Random): { value: Wild; raw: Raw } {
  const raw = random.pick(FORBIDDEN)
  const put = (values: readonly WireValue[]): Wild[] => {
    const at = random.below(values.length)
    return values.map((value, i) => {
      if (i !== at) return value
      return Array.isArray(value) && value.length > 0 && random.chance(0.7) ? put(value) : raw
    })
  }
  return { value: random.chance(0.05) ? raw : put(message), raw }
}
