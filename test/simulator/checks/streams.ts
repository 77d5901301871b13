// What clients are told of their streams, how many of them there may be, and of the size of their
// mailbox. C4: a stream is called closed once its end is committed. C5: from then on it takes
// nothing, a repeated request is answered as before, and a refused send is called not stored where
// it was not. `stream`: a user's open streams are bounded, and only idle ones end by themselves.

import { errorName, type ErrorName } from '../../../protocol/errors.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { KIND } from '../../../protocol/entries/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import { decodeEnds } from '../../../protocol/state/commands/end-idle-streams.js'
import { KEPT_ENDS } from '../../../protocol/state/ended-streams.js'
import type { Coverage } from '../coverage.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { SHORTEST_IDLE_MS } from '../workload/idle.js'
import type { Check } from './check.js'
import type { Commands } from './commands.js'
import { hex, type ClientLedger } from './ledger.js'
import type { Requests } from './requests.js'

export class StreamCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #requests: Requests
  readonly #commands: Commands
  readonly #coverage: Coverage
  readonly #processing: readonly Host[]

  constructor(
    history: History,
    ledger: ClientLedger,
    requests: Requests,
    commands: Commands,
    coverage: Coverage,
    processing: readonly Host[],
  ) {
    this.#ledger = ledger
    this.#requests = requests
    this.#commands = commands
    this.#coverage = coverage
    this.#processing = processing
    history.onCommit((node) => this.#committed(node))
  }

  // ---- the log --------------------------------------------------------------------------------

  #committed({ index, entry, meta }: Node): void {
    const command = this.#commands.of(entry!)
    if (meta!.kind === KIND.stream && command?.kind === 'open-stream') {
      const open = this.#ledger.openOf(meta!.mailbox).length
      expect(open <= command.most, 'stream', () => {
        return `${meta!.mailbox} has ${open} open streams at ${index}; ${command.most} are allowed`
      })
      if (open === command.most) this.#coverage.reach('a user has as many streams as it may')
    }
    if (meta!.kind !== KIND.streamsEnded) return
    for (const id of decodeEnds(entry!.body)) {
      const { used } = this.#ledger.streams.get(hex(id))!
      expect(used <= entry!.time - SHORTEST_IDLE_MS, 'stream', () => {
        return `entry ${index} of ${entry!.time} ends ${hex(id)} as idle, in use at ${used}`
      })
    }
    this.#coverage.reach('idle streams end')
  }

  /** No replica has streams that the log has closed, or lacks some that are open. */
  ended(): void {
    const open = [...this.#ledger.streams.values()].filter(({ end }) => end === 0).length
    for (const { name, machine } of this.#processing) {
      const replica = machine as ProcessingReplica | null
      if (!replica || replica.appliedIndex !== this.#ledger.end) continue
      const has = replica.metrics().troca_streams
      expect(has === open, 'stream', () => `${name} has ${has} streams; ${open} are open`)
    }
  }

  // ---- answers --------------------------------------------------------------------------------

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

  #opened(from: Host, to: Host, { request, stream }: The<'STREAM_OPENED'>): void {
    const { asked, user, end } = this.#requests.of(to, request, 'OPEN_STREAM')
    expect(!this.#isClosed(stream, end), 'C5', () => {
      return `${to.name} is told that a stream is open, which was closed when it asked`
    })
    const known = this.#ledger.streams.get(hex(stream))
    expect(known !== undefined, 'C4', () => {
      return `${from.name} says a stream is open, which is not committed`
    })
    expect(known!.owner === user && sameBytes(known!.token, asked.token), 'C5', () => {
      return `${to.name} is told that its stream is open; it is another one, of ${known!.owner}`
    })
    const same = this.#ledger.openOf(user).find(([, { token, index }]) => {
      return index <= end && sameBytes(token, asked.token)
    })
    expect(!same || same[0] === hex(stream), 'C5', () => {
      return `${to.name} gets another stream for a token whose stream is open`
    })
    if (known!.index <= end) this.#coverage.reach('OPEN_STREAM is answered again')
  }

  #receipt(to: Host, { request }: The<'RECEIPT'>): void {
    const { asked, end } = this.#requests.of(to, request, 'SEND')
    expect(!this.#isClosed(asked.stream, end), 'C5', () => {
      return `${to.name} gets a receipt in ${hex(asked.stream)}, which was closed when it asked`
    })
  }

  #closed(from: Host, to: Host, message: The<'STREAM_CLOSED'>): void {
    const { asked, end } = this.#requests.of(to, message.request, 'CLOSE_STREAM')
    expect(this.#isClosed(asked.stream), 'C4', () => {
      return `${from.name} says that a stream is closed, whose end is not committed`
    })
    if (this.#isClosed(asked.stream, end)) this.#coverage.reach('CLOSE_STREAM is answered again')
  }

  #refused(to: Host, message: The<'ERROR'>): void {
    const { asked } = this.#requests.any(to, message.request)
    const name = errorName(message.code)!
    if (asked.type === 'CLOSE_STREAM') this.#closeRefused(to, message, name)
    if (asked.type === 'SEND' && name === 'STREAM_CLOSED') this.#sendRefused(to, message)
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
    const { asked, user } = this.#requests.of(to, request, 'SEND')
    const { stream, seq } = asked
    const told = `${to.name} is told STREAM_CLOSED for ${hex(stream)}/${seq}`
    expect(this.#isClosed(stream), 'C4', () => `${told}; no end of it is committed`)
    const known = this.#ledger.streams.get(hex(stream))!
    const executed = this.#ledger.place(stream, seq) !== undefined
    if (executed) this.#coverage.reach('an executed send is repeated after the end of its stream')
    expect(!definite || (!executed && known.owner === user), 'C5', () => {
      return `${told}, definite; ${executed ? 'it was executed' : 'the stream is not its own'}`
    })
    // Later ends may have come between the decision and this answer: those still kept were then.
    const kept = known.end > this.#ledger.endsOf(user) - KEPT_ENDS
    if (!kept) this.#coverage.reach('a send in a stream whose end is forgotten')
    const mine = known.owner === user && !this.#ledger.closed.has(user)
    expect(!mine || !kept || definite === !executed, 'C5', () => {
      return `${told}, not definite; it was never executed`
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
