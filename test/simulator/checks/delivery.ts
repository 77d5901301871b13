// Messages shown to clients, and marks. A shown message is one that was sent and is committed at
// that index (C4). Pushes continue from where listening began, without a gap and never twice. A
// mark is one that some client has reported, and never goes back.

import { KIND } from '../../../protocol/entries/entry.js'
import { sameBytes } from '../../../protocol/bytes.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import { digestOf, hex, type ClientLedger } from './ledger.js'
import type { Requests } from './requests.js'

export class DeliveryCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #requests: Requests
  /** The index through which everything has been pushed, by replica, boot and client. */
  readonly #pushed = new Map<string, number>()

  constructor(ledger: ClientLedger, requests: Requests) {
    this.#ledger = ledger
    this.#requests = requests
  }

  sent(from: Host, to: Host, message: Message): void {
    if (to.role !== 'client') return
    const user = this.#requests.userAt(from, to)
    switch (message.type) {
      case 'SESSION':
        return this.#cursor(from, message.name, message.cursor)
      case 'PAGE':
        this.#cursor(from, user, message.cursor)
        return this.#shown(from, user, message.messages)
      case 'LISTENING':
        return this.#listening(from, to, message)
      case 'PUSH':
        this.#shown(from, user, message.messages)
        return this.#push(from, to, user, message)
    }
  }

  #shown(from: Host, user: string, messages: The<'PUSH'>['messages']): void {
    for (const { index, stream, seq, text, from: sender, to, time } of messages) {
      const node = this.#ledger.at(index)
      const place = `${hex(stream)}/${seq}`
      const meta = node?.meta
      const there = meta?.kind === KIND.message && sameBytes(meta.stream, stream)
      expect(there && meta.seq === seq, 'C4', () => {
        return `${from.name} shows ${user} ${place} at ${index}, not committed there`
      })
      const owner = this.#ledger.streams.get(hex(stream))!.owner
      const right = meta!.mailbox === user && to === user && sender === owner
      expect(right && time === node!.entry!.time, 'C4', () => {
        return `${from.name} shows ${user} ${place} as ${sender}'s to ${to}; it is ${owner}'s`
      })
      const same = text !== null && sameBytes(meta!.digest, digestOf(sender, { to, text }))
      expect(same, 'C4', () => `${from.name} shows ${user} another text in ${place} than was sent`)
    }
  }

  #listening(from: Host, to: Host, message: The<'LISTENING'>): void {
    const { asked, user } = this.#requests.of(to, message.request, 'LISTEN')
    if (asked.after === null) this.#cursor(from, user, message.after)
    else {
      expect(message.after === asked.after, 'push', () => {
        return `${to.name} asked to listen after ${asked.after}, not after ${message.after}`
      })
    }
    this.#pushed.set(`${from.name}/${from.boot}/${to.name}`, message.after)
  }

  #push(from: Host, to: Host, user: string, message: The<'PUSH'>): void {
    const key = `${from.name}/${from.boot}/${to.name}`
    const after = this.#pushed.get(key) ?? Infinity
    const all = this.#ledger.mailbox(user)
    const got = message.messages.map(({ index }) => index)
    const last = got.at(-1) ?? 0
    // Deleted messages alone may be missing.
    const wanted = all.filter((index) => {
      const there = this.#ledger.droppedAt(index) === Infinity || got.includes(index)
      return index > after && index <= last && there
    })
    expect(got.length > 0 && got.join() === wanted.join(), 'push', () => {
      return `${from.name} pushes [${got}] to ${to.name}; after ${after} comes [${wanted}]`
    })
    const { appliedIndex } = from.machine as ProcessingReplica
    const deleted = got.filter((index) => this.#ledger.droppedAt(index) <= appliedIndex)
    expect(deleted.length === 0, 'deleted', () => {
      return `${from.name} pushes [${deleted}] to ${to.name}, which it knows to be deleted`
    })
    this.#pushed.set(key, got.at(-1)!)
  }

  #cursor(from: Host, user: string, cursor: number): void {
    const committed = this.#ledger.mark(user).read
    expect(cursor <= committed, 'C4', () => {
      return `${from.name} shows ${user}'s mark at ${cursor}; committed is ${committed}`
    })
  }
}
