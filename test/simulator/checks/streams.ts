// What clients are told of the ends of their streams, and of the size of their mailbox. C4: a stream
// is called closed once its end is committed. C5: from then on it takes nothing, a repeated
// CLOSE_STREAM is answered as before, and a refused send is called not stored where it was not.

import { errorName, type ErrorName } from '../../../protocol/errors.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Coverage } from '../coverage.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import { hex, type ClientLedger } from './ledger.js'
import type { Requests } from './requests.js'

export class StreamCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #requests: Requests
  readonly #coverage: Coverage

  constructor(ledger: ClientLedger, requests: Requests, coverage: Coverage) {
    this.#ledger = ledger
    this.#requests = requests
    this.#coverage = coverage
  }

  sent(from: Host, to: Host, message: Message): void {
    if (to.role !== 'client') return
    switch (message.type) {
      case 'STREAM_OPENED':
        return this.#opened(from, to, message)
      case 'STREAM_CLOSED':
        return this.#closed(from, to, message)
      case 'RECEIPT':
        return this.#receipt(to, message)
      case 'USAGE_IS':
        return this.#usage(to, message)
      case 'ERROR':
        if (message.request > 0) this.#refused(to, message)
    }
  }

  /** Whether the stream was closed by entry `end`; absent: by now. */
  #isClosed(stream: Uint8Array, end = this.#ledger.end): boolean {
    return (this.#ledger.streams.get(hex(stream))?.closedAt ?? Infinity) <= end
  }

  #opened(from: Host, to: Host, message: The<'STREAM_OPENED'>): void {
    const { asked, user, end } = this.#requests.of(to, message.request, 'OPEN_STREAM')
    expect(!this.#isClosed(asked.stream, end), 'C5', () => {
      return `${to.name} is told that its stream is open, which was closed when it asked`
    })
    const known = this.#ledger.streams.get(hex(asked.stream))
    expect(known !== undefined, 'C4', () => {
      return `${from.name} says a stream is open, which is not committed`
    })
    expect(known!.owner === user, 'C5', () => {
      return `${to.name} is told that its stream is open; it is ${known!.owner}'s`
    })
  }

  #receipt(to: Host, { request }: The<'RECEIPT'>): void {
    const { asked, end } = this.#requests.of(to, request, 'SEND')
    expect(!this.#isClosed(asked.stream, end), 'C5', () => {
      return `${to.name} gets a receipt in ${hex(asked.stream)}, which was closed when it asked`
    })
  }

  #closed(from: Host, to: Host, message: The<'STREAM_CLOSED'>): void {
    const { asked, user, end } = this.#requests.of(to, message.request, 'CLOSE_STREAM')
    expect(this.#isClosed(asked.stream), 'C4', () => {
      return `${from.name} says that a stream is closed, whose end is not committed`
    })
    expect(this.#ledger.streams.get(hex(asked.stream))!.owner === user, 'C5', () => {
      return `${to.name} is told that it has closed a stream of another user`
    })
    if (this.#isClosed(asked.stream, end)) this.#coverage.reach('CLOSE_STREAM is answered again')
  }

  #refused(to: Host, message: The<'ERROR'>): void {
    const { asked } = this.#requests.any(to, message.request)
    const name = errorName(message.code)!
    if (asked.type === 'OPEN_STREAM') this.#openRefused(to, message, name)
    if (asked.type === 'CLOSE_STREAM') this.#closeRefused(to, message, name)
    if (asked.type === 'SEND' && name === 'STREAM_CLOSED') this.#sendRefused(to, message)
  }

  #openRefused(to: Host, message: The<'ERROR'>, name: ErrorName): void {
    const { asked, user } = this.#requests.of(to, message.request, 'OPEN_STREAM')
    if (name === 'STREAM_CLOSED') {
      expect(this.#isClosed(asked.stream), 'C4', () => {
        return `${to.name} is told STREAM_CLOSED; no end of its stream is committed`
      })
    }
    if (name !== 'CONFLICT') return
    const owner = this.#ledger.streams.get(hex(asked.stream))?.owner
    expect(owner !== undefined && owner !== user, 'C5', () => {
      return `${to.name} is told CONFLICT for its stream, which is ${owner}'s`
    })
  }

  #closeRefused(to: Host, message: The<'ERROR'>, name: ErrorName): void {
    const { asked, user, end } = this.#requests.of(to, message.request, 'CLOSE_STREAM')
    if (name !== 'NO_SUCH_STREAM') return
    const known = this.#ledger.streams.get(hex(asked.stream))
    expect(known?.owner !== user || known.index > end, 'C5', () => {
      return `${to.name} is told NO_SUCH_STREAM by CLOSE_STREAM, for its own stream`
    })
  }

  #sendRefused(to: Host, { request, definite }: The<'ERROR'>): void {
    const { stream, seq } = this.#requests.of(to, request, 'SEND').asked
    const told = `${to.name} is told STREAM_CLOSED for ${hex(stream)}/${seq}`
    expect(this.#isClosed(stream), 'C4', () => `${told}; no end of it is committed`)
    const executed = this.#ledger.place(stream, seq) !== undefined
    if (executed) this.#coverage.reach('an executed send is repeated after the end of its stream')
    expect(definite !== executed, 'C5', () => {
      return `${told}, definite ${definite}; ${executed ? 'it was executed' : 'it never was'}`
    })
  }

  /** The figure is that of one state between the request and the answer. */
  #usage(to: Host, { request, bytes }: The<'USAGE_IS'>): void {
    const { user, end } = this.#requests.of(to, request, 'USAGE')
    const states = Array.from({ length: this.#ledger.end - end + 1 }, (_, i) => end + i)
    const fits = states.some((index) => {
      const { least, most } = this.#ledger.bytesAt(user, index)
      return least <= bytes && bytes <= most
    })
    expect(fits, 'quota', () => {
      const { least, most } = this.#ledger.bytesAt(user, end)
      return `${to.name} is told that ${user} holds ${bytes} bytes; it held ${least} to ${most} at ${end}`
    })
    if (this.#ledger.mailbox(user).some((index) => this.#ledger.droppedAt(index) <= end)) {
      this.#coverage.reach('USAGE of a mailbox with deleted messages')
    }
  }
}
