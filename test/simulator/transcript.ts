// The course of a run, twice: as a running hash that two runs of one seed must share, and, where
// traced, as lines that a person can read.

import type { Message } from '../../protocol/messages/catalogue.js'

const isEpoch = (value: object): value is { counter: number; slot: number } =>
  'counter' in value && 'slot' in value

/**
 * Longest text that is printed whole, in characters: the workload pads some texts with thousands.
 */
const MAX_TEXT = 32

function clipped(text: string): string {
  if (text.length <= MAX_TEXT) return text
  return `${text.slice(0, MAX_TEXT)}... (${text.length})`
}

/** One field of a message, shortened. */
function brief(value: unknown): string {
  if (value === null) return '-'
  if (typeof value === 'string') return clipped(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint8Array) return `#${Buffer.from(value.subarray(0, 3)).toString('hex')}`
  if (Array.isArray(value)) {
    if (value.length <= 9) return `[${value.map(brief).join(' ')}]`
    return `[${brief(value[0])} ... ${brief(value.at(-1))}]`
  }
  if (isEpoch(value)) return `${value.counter}.${value.slot}`
  if ('incarnation' in value && 'slot' in value) {
    const member = value as { slot: number; incarnation: { counter: number } }
    return `${member.slot}/${member.incarnation.counter}`
  }
  if ('chain' in value && 'index' in value) {
    const place = value as { index: number; chain: Uint8Array; term?: number; k?: number }
    const order = place.term === undefined ? '' : ` t${place.term}k${place.k}`
    return `${place.index}${brief(place.chain)}${order}`
  }
  return `{${Object.values(value).map(brief).join(' ')}}`
}

/** Fields that are left out: random values, and those that the line names already. */
const LEFT_OUT = new Set(['type', 'clock', 'incarnation', 'seed', 'keySeed'])

function worthSaying(name: string, value: unknown, message: Message): boolean {
  if (LEFT_OUT.has(name) || value === false) return false
  if (name !== 'installed' && name !== 'promised') return true
  // The epochs in a message's header are printed only where they differ from the message's own
  // epoch.
  return !('epoch' in message) || brief(value) !== brief(message.epoch)
}

export function describeMessage(message: Message): string {
  const fields = Object.entries(message).filter(([name, value]) =>
    worthSaying(name, value, message),
  )
  return `${message.type} ${fields.map(([name, value]) => `${name}=${brief(value)}`).join(' ')}`
}

export class Transcript {
  readonly traced: boolean
  readonly #print: (line: string) => void
  #hash = 0x811c9dc5

  /** `print` gets every line of a traced run. */
  constructor(traced: boolean, print: (line: string) => void) {
    this.traced = traced
    this.#print = print
  }

  get hash(): number {
    return this.#hash >>> 0
  }

  add(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193)
    this.#hash ^= this.#hash >>> 15
  }

  addText(value: string): void {
    for (let i = 0; i < value.length; i++) this.add(value.charCodeAt(i))
  }

  /**
   * Adds the scalars of a message to the hash; its bytes are covered by the chains that follow from
   * them.
   */
  addMessage(message: Message): void {
    this.addText(message.type)
    for (const value of Object.values(message)) {
      if (typeof value === 'number') this.add(value)
      else if (Array.isArray(value)) this.add(value.length)
    }
  }

  line(at: number, text: string): void {
    if (this.traced) this.#print(`${(at / 1000).toFixed(4).padStart(9)}  ${text}`)
  }
}

const HEARTBEAT = /^ *[\d.]+ +\S+ +\w+_HEARTBEAT /

/** A transcript without heartbeats, which are most of it. */
export function withoutHeartbeats(print: (line: string) => void): (line: string) => void {
  return (line) => {
    if (!HEARTBEAT.test(line)) print(line)
  }
}
