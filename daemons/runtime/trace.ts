// What a daemon did when: its steps, what it sent and what it asked the disk to write. Off unless
// TROCA_TRACE names a folder; `npm run bench:timeline` reads what is written there at the exit.
// Times are µs of the machine's monotonic clock, which all processes of a machine share, so that
// traces of several daemons can be merged. Types of messages are kept, their content is not.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hrtime } from 'node:process'
import { nameOf } from '../net/identity.js'
import type { Input, LinkId, Peer } from '../../protocol/machine/machine.js'

export interface TraceEvent {
  readonly us: number
  /** A step of the machine, a message handed to its link, a transaction handed to the store. */
  readonly what: 'step' | 'send' | 'write'
  /** Type of the message, or of another input of the machine. */
  readonly of: string
  /** Replica at the other end of the link, or "client"; empty where there is no link. */
  readonly peer: string
  /** Duration of a step in µs; 0 for the others. */
  readonly took: number
}

/** A trace left on by mistake must not fill the memory. */
const MAX_EVENTS = 1_000_000

function peerName(peer: Peer): string {
  return peer.role === 'client' ? 'client' : nameOf(peer)
}

export class Trace {
  readonly #events: TraceEvent[] = []
  readonly #peers = new Map<LinkId, string>()

  now(): number {
    const [seconds, nanoseconds] = hrtime()
    return seconds * 1e6 + Math.round(nanoseconds / 1e3)
  }

  /** Notes a step that began at `us` and has ended now. */
  step(input: Input, us: number): void {
    if (input.type === 'link-up') this.#peers.set(input.link, peerName(input.peer))
    const of = input.type === 'message' ? input.message.type : input.type
    this.#note({ us, what: 'step', of, ...this.#peer(input), took: this.now() - us })
    if (input.type === 'link-down') this.#peers.delete(input.link)
  }

  send(link: LinkId, of: string): void {
    this.#note({ us: this.now(), what: 'send', of, ...this.#peer({ link }), took: 0 })
  }

  write(): void {
    this.#note({ us: this.now(), what: 'write', of: '', peer: '', took: 0 })
  }

  #peer(of: object): { peer: string } {
    return { peer: 'link' in of ? (this.#peers.get(of.link as LinkId) ?? '') : '' }
  }

  #note(event: TraceEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event)
  }

  get lines(): string {
    return this.#events.map((event) => `${JSON.stringify(event)}\n`).join('')
  }
}

/** The trace of the replica `name`, written when the process exits; null: tracing is off. */
export function traceOf(name: string): Trace | null {
  const folder = process.env['TROCA_TRACE']
  if (!folder) return null
  mkdirSync(folder, { recursive: true })
  const trace = new Trace()
  process.on('exit', () => writeFileSync(join(folder, `${name}.jsonl`), trace.lines))
  return trace
}
