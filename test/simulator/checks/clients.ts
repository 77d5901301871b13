// What clients are promised. C4: no effect of an uncommitted entry is shown. C5: a repeated request
// gets the original's answer. C8: an answer names a committed place. Reads see what was committed
// when they were asked (linearizable per mailbox: the log is the order).

import { ERRORS, errorName } from '../../../protocol/errors.js'
import { KIND } from '../../../protocol/log/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { userOf } from '../workload/client.js'
import { Violation, expect } from '../violation.js'
import type { Check } from './check.js'

const keyOf = (stream: Uint8Array, seq: number): string =>
  `${Buffer.from(stream).toString('hex')}/${seq}`

interface Inbox {
  readonly after: number
  readonly committed: number
}

export class ClientCheck implements Check {
  readonly #history: History
  readonly #sends = new Map<string, The<'SEND'>>()
  readonly #inboxes = new Map<string, Inbox>()
  /** First text asked for under (stream, seq): the one that counts. */
  readonly #texts = new Map<string, The<'SEND'>>()
  /** Where the ledger has (stream, seq). */
  readonly #places = new Map<string, Node>()
  readonly #mailboxes = new Map<string, number[]>()

  constructor(history: History) {
    this.#history = history
    history.onCommit((node) => this.#committed(node))
  }

  #committed(node: Node): void {
    const { kind, stream, seq, mailbox } = node.meta!
    if (stream.length > 0 && seq > 0) this.#places.set(keyOf(stream, seq), node)
    if (kind !== KIND.message) return
    const indices = this.#mailboxes.get(mailbox)
    if (indices) indices.push(node.index)
    else this.#mailboxes.set(mailbox, [node.index])
  }

  sent(from: Host, to: Host, message: Message): void {
    if (from.role === 'client') return this.#asks(from, message)
    if (to.role !== 'client') return
    switch (message.type) {
      case 'RECEIPT':
        return this.#receipt(to, message)
      case 'ERROR':
        return this.#error(to, message)
      case 'PAGE':
        return this.#page(to, message)
      case 'PUSH':
        return this.#shown(from, to, message.messages)
      case 'STREAM_OPENED':
        return expect(message.index < this.#history.ledger.length, 'C4', () => {
          return `${from.name} says a stream is open by ${message.index}, not committed`
        })
    }
  }

  #asks(from: Host, message: Message): void {
    const committed = this.#history.committed.index
    if (message.type === 'INBOX') {
      this.#inboxes.set(`${from.name}/${message.request}`, { after: message.after, committed })
    }
    if (message.type !== 'SEND') return
    this.#sends.set(`${from.name}/${message.request}`, message)
    const key = keyOf(message.stream, message.seq)
    if (!this.#texts.has(key)) this.#texts.set(key, message)
  }

  #receipt(to: Host, message: The<'RECEIPT'>): void {
    const send = this.#sends.get(`${to.name}/${message.request}`)!
    const key = keyOf(send.stream, send.seq)
    const node = this.#places.get(key)
    if (!node) throw new Violation('C4', `${to.name} gets a receipt for ${key}, not committed`)
    expect(node.index === message.index && send.seq === message.seq, 'C5', () => {
      return `${to.name} is told ${message.index} for ${key}; it is at ${node.index}`
    })
    const first = this.#texts.get(key)!
    expect(first.text === send.text && first.to === send.to, 'C5', () => {
      return `${to.name} gets a receipt for other words than the first under ${key}`
    })
    expect(node.meta!.kind === KIND.message, 'C5', () => {
      return `${to.name} gets a receipt for ${key}, which was refused`
    })
  }

  #error(to: Host, message: The<'ERROR'>): void {
    const send = this.#sends.get(`${to.name}/${message.request}`)
    if (!send) return
    const key = keyOf(send.stream, send.seq)
    const node = this.#places.get(key)
    const name = errorName(message.code)
    switch (name) {
      case 'NO_SUCH_USER':
      case 'DIVERGED':
        return expect(node?.meta!.answer === ERRORS[name].code, 'C4', () => {
          return `${to.name} is told ${name} for ${key}; the log says ${node?.meta!.answer}`
        })
      case 'CONFLICT':
        return expect(this.#texts.get(key)!.text !== send.text, 'C5', () => {
          return `${to.name} is told CONFLICT for ${key}, sent with the same words`
        })
      case 'NO_SUCH_STREAM':
      case 'OLD_DUPLICATE':
        throw new Violation('C5', `${to.name} is told ${name} for ${key}`)
    }
  }

  #page(to: Host, message: The<'PAGE'>): void {
    const asked = this.#inboxes.get(`${to.name}/${message.request}`)!
    this.#shown(null, to, message.messages)
    const got = message.messages.map(({ index }) => index)
    const last = got.at(-1) ?? asked.after
    const end = message.more ? last : Math.max(last, asked.committed)
    const all = this.#mailboxes.get(userOf(to.slot)) ?? []
    const wanted = all.filter((index) => index > asked.after && index <= end)
    expect(got.join() === wanted.join(), 'read', () => {
      return `${to.name}'s page after ${asked.after} has [${got}], the ledger [${wanted}]`
    })
  }

  #shown(from: Host | null, to: Host, messages: The<'PUSH'>['messages']): void {
    const user = userOf(to.slot)
    for (const { index, stream, seq, text, to: recipient } of messages) {
      const key = keyOf(stream, seq)
      const node = this.#places.get(key)
      expect(node?.index === index, 'C4', () => {
        return `${from?.name ?? 'a page'} shows ${to.name} ${key} at ${index}, not committed there`
      })
      expect(recipient === user && text === this.#texts.get(key)!.text, 'C4', () => {
        return `${to.name} is shown other words under ${key} than were sent`
      })
    }
  }
}
