// The states, transitions and situations that a run has reached, and how often: they show that the
// faults get to where they should. coverage/known.ts lists the names.

import { errorName } from '../../protocol/errors.js'
import type { DurableState, ReadQuery, Transaction } from '../../protocol/machine/storage.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { turnView, type Check } from './checks/check.js'
import { FileSituations } from './coverage/files.js'
import { OrderSituations } from './coverage/orders.js'
import type { LogFields, Watcher } from './coverage/reach.js'
import { ViewSituations } from './coverage/views.js'
import type { Disk } from './disk.js'
import type { Host } from './host.js'

/** A persistence replica's status, a processing replica's role; undefined: the host has neither. */
function standingOf(host: Host): string | undefined {
  const view = turnView(host)
  if (view) return view.holdsTurn ? 'holding' : view.status
  const { machine } = host
  return machine && 'role' in machine ? String(machine.role) : undefined
}

function answerOf(message: Message): string | undefined {
  switch (message.type) {
    case 'CLAIMED':
      return `answer CLAIMED ${message.outcome}`
    case 'NOT_APPENDED':
      return `answer NOT_APPENDED ${message.reason}`
    case 'REJECTED':
      return `answer REJECTED ${message.reason}`
    case 'CONSENT':
      return `answer CONSENT ${message.granted ? 'granted' : 'refused'}`
    case 'ERROR':
      return `error ${errorName(message.code) ?? message.code}`
    default:
      return undefined
  }
}

export class Coverage implements Check {
  readonly #counts = new Map<string, number>()
  /** Messages by name, apart from the other states because there are so many. */
  readonly #messages = new Map<string, number>()
  readonly #context = new Map<Host, string>()
  readonly #watchers: readonly Watcher[]

  constructor() {
    const reach = (name: string): void => this.reach(name)
    this.#watchers = [
      new ViewSituations(reach),
      new FileSituations(reach),
      new OrderSituations(reach),
    ]
  }

  get reached(): ReadonlyMap<string, number> {
    const messages = [...this.#messages].map(([type, n]) => [`message ${type}`, n] as const)
    return new Map([...this.#counts, ...messages])
  }

  reach(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  logged(host: Host, event: string, fields: LogFields): void {
    this.reach(`log ${event}`)
    for (const watcher of this.#watchers) watcher.logged?.(host, event, fields)
  }

  read(host: Host, query: ReadQuery): void {
    for (const watcher of this.#watchers) watcher.read?.(host, query)
  }

  sent(from: Host, to: Host, message: Message): void {
    const { type } = message
    this.#messages.set(type, (this.#messages.get(type) ?? 0) + 1)
    const answer = answerOf(message)
    if (answer !== undefined) this.reach(answer)
    for (const watcher of this.#watchers) watcher.sent?.(from, to, message)
  }

  delivered(from: Host, to: Host, message: Message): void {
    for (const watcher of this.#watchers) watcher.delivered?.(from, to, message)
  }

  written(disk: Disk, batch: Transaction, before: DurableState): void {
    for (const watcher of this.#watchers) watcher.written?.(disk, batch, before)
  }

  started(host: Host): void {
    this.#context.delete(host)
    for (const watcher of this.#watchers) watcher.started?.(host)
  }

  stepped(host: Host): void {
    const now = standingOf(host)
    const known = this.#context.get(host)
    if (now !== undefined && now !== known) {
      this.#context.set(host, now)
      this.reach(`${known ?? 'start'} → ${now}`)
      for (const watcher of this.#watchers) watcher.moved?.(host, known ?? 'start', now)
    }
    for (const watcher of this.#watchers) watcher.stepped?.(host)
  }
}
