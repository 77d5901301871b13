// Receipts: a sender is told what the committed log says of its own sends, no less than when it
// asked, and no more than the recipients have reported.

import { KIND } from '../../../protocol/entries/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Mark } from '../../../protocol/entries/marks.js'
import { KEPT_SENDS } from '../../../protocol/state/sent-index.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import { hex, type ClientLedger } from './ledger.js'
import type { Requests } from './requests.js'

type Receipt = The<'RECEIPTS_ARE'>['sends'][number]

const STATES = ['refused', 'stored', 'delivered', 'read'] as const

function rankOf(index: number, { delivered, read }: Mark): number {
  return STATES.indexOf(index <= read ? 'read' : index <= delivered ? 'delivered' : 'stored')
}

export class ReceiptCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #requests: Requests
  /** All marks at the moment of the request, by client and request. */
  readonly #marks = new Map<string, ReadonlyMap<string, Mark>>()
  /** Answered sends, by client and request. */
  readonly #answered = new Set<string>()

  constructor(ledger: ClientLedger, requests: Requests) {
    this.#ledger = ledger
    this.#requests = requests
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'RECEIPTS') {
      this.#marks.set(`${from.name}/${message.request}`, new Map(this.#ledger.marks))
    }
    if (to.role !== 'client') return
    switch (message.type) {
      case 'RECEIPT':
        return void this.#answered.add(`${to.name}/${message.request}`)
      case 'ACCEPTED':
        return this.#accepted(to, message)
      case 'RECEIPTS_ARE':
        return this.#shown(to, message)
      case 'RECEIPT_STATE':
        return this.#told(from, to, message)
    }
  }

  #accepted(to: Host, { request, seq }: The<'ACCEPTED'>): void {
    const { asked } = this.#requests.of(to, request, 'SEND')
    const late = this.#answered.has(`${to.name}/${request}`)
    expect(asked.seq === seq && !late, 'receipt', () => {
      return `${to.name} is told that ${seq} is accepted${late ? ', after its receipt' : ''}`
    })
  }

  #shown(to: Host, message: The<'RECEIPTS_ARE'>): void {
    const { asked, user, end } = this.#requests.of(to, message.request, 'RECEIPTS')
    const { sends } = message
    const got = sends.map(({ index }) => index)
    // All sends that there were at the request, and perhaps some that came since.
    const through = Math.max(end, got[0] ?? 0)
    const mine = this.#ledger.sentBy(user)
    const wantedAt = (end: number): string =>
      mine
        .filter((index) => index <= end)
        .slice(-KEPT_SENDS)
        .filter((index) => asked.to === null || this.#ledger.at(index)!.meta!.mailbox === asked.to)
        .reverse()
        .slice(0, asked.limit)
        .join()
    // Later sends to other users are not shown, but push out the oldest of those kept.
    const ends = [through, ...mine.filter((index) => index > through)]
    expect(
      ends.some((end) => wantedAt(end) === got.join()),
      'receipt',
      () => {
        return `${to.name} is shown sends [${got}]; the ledger has [${wantedAt(through)}]`
      },
    )
    const before = this.#marks.get(`${to.name}/${message.request}`)!
    for (const receipt of sends) this.#state(to, message.request, receipt, before)
  }

  #state(to: Host, request: number, receipt: Receipt, before: ReadonlyMap<string, Mark>): void {
    const { index, time, stream, seq, state, code } = receipt
    const { entry, meta } = this.#ledger.at(index)!
    const place = entry!.time === time && meta!.seq === seq && meta!.mailbox === receipt.to
    const same = place && hex(meta!.stream) === hex(stream) && meta!.answer === code
    expect(same, 'receipt', () => `${to.name} is told of another send than is at ${index}`)
    if (meta!.kind === KIND.refusal) {
      return expect(state === 'refused', 'receipt', () => {
        return `${to.name} is told that ${index} is ${state}; it was refused`
      })
    }
    const { end } = this.#requests.any(to, request)
    const expired = this.#ledger.expiredUnreadAt(index)
    if (state === 'expired') {
      return expect(expired < Infinity, 'receipt', () => {
        return `${to.name} is told that ${index} is expired; no entry says so`
      })
    }
    expect(expired > end, 'receipt', () => {
      return `${to.name} is told that ${index} is ${state}; it expired unread by ${expired}`
    })
    const rank = STATES.indexOf(state)
    const least = rankOf(index, before.get(receipt.to) ?? { delivered: 0, read: 0 })
    const most = rankOf(index, this.#ledger.mark(receipt.to))
    expect(least <= rank && rank <= most, 'receipt', () => {
      return `${to.name} is told that ${index} is ${state}; it was ${STATES[least]} when asked and is ${STATES[most]}`
    })
  }

  #told(from: Host, to: Host, message: The<'RECEIPT_STATE'>): void {
    const user = this.#requests.userAt(from, to)
    const mine = this.#ledger.sentBy(user)
    const mark = this.#ledger.mark(message.to)
    const { delivered, read, expired } = message
    for (const index of expired) {
      const own = this.#ledger.at(index)?.meta?.mailbox === message.to && mine.includes(index)
      expect(own && this.#ledger.expiredUnreadAt(index) < Infinity, 'receipt', () => {
        return `${to.name} is told that ${index} to ${message.to} expired; the log does not say so`
      })
    }
    if (delivered === 0 && expired.length > 0) return
    for (const index of [delivered, read]) {
      const { kind, mailbox } = this.#ledger.at(index)?.meta ?? {}
      const own = kind === KIND.message && mailbox === message.to && mine.includes(index)
      expect(own || (index === 0 && index === read), 'receipt', () => {
        return `${to.name} is told of ${index}, which ${user} has not sent to ${message.to}`
      })
    }
    const so = read <= delivered && delivered <= mark.delivered && read <= mark.read
    expect(so, 'receipt', () => {
      return `${to.name} is told ${delivered} and ${read} of ${message.to}; ${JSON.stringify(mark)} is committed`
    })
  }
}
