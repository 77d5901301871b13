// Situations of terms, orders and answers to clients.

import { entriesOf, hasKind, metasOf, type Batch } from '../../../protocol/entries/batch.js'
import { KIND, type Kind, type Meta } from '../../../protocol/entries/entry.js'
import { formatEpoch } from '../../../protocol/entries/epoch.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
import { decodeTerm } from '../../../protocol/entries/fence.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'
import type { LogFields, Reach, Watcher } from './reach.js'

const kindOf = ({ meta }: { readonly meta: Meta }): Kind => meta.kind

export class OrderSituations implements Watcher {
  readonly #reach: Reach
  /** Appends of orders without an answer, by the asking host. */
  readonly #unanswered = new Map<Host, Set<number>>()
  readonly #claims = new Map<Host, string>()
  /** The epoch in which a claim (by nonce) or an order (by term and k) was first written. */
  readonly #writtenIn = new Map<string, string>()
  /** Orders, as term/k, that a replica other than their coordinator voted on. */
  readonly #voted = new Set<string>()
  /** Hosts that have received ELECTION in their present step. */
  readonly #electing = new Set<Host>()
  readonly #receipts = new Set<string>()
  #ring = 0

  constructor(reach: Reach) {
    this.#reach = reach
  }

  started(host: Host): void {
    if (host.role === 'processing') this.#ring = Math.max(this.#ring, host.slot)
    this.#unanswered.delete(host)
  }

  stepped(host: Host): void {
    if (this.#electing.size > 0) this.#electing.delete(host)
  }

  moved(host: Host, from: string, to: string): void {
    if (from !== 'participant' || to !== 'claimant' || this.#electing.has(host)) return
    const ring = host.machine!.debugWords['ring']?.answer()
    if (!String(ring).includes('successor: -'))
      this.#reach('a claim after fruitless rounds of the ring')
  }

  logged(_host: Host, event: string, fields: LogFields): void {
    if (event === 'stopped-coordinating' && fields['reason'] === 'no persistence') {
      this.#reach('a coordinator without persistence stops')
    }
  }

  written(_disk: Disk, { batches = [] }: Transaction): void {
    const [first] = batches
    if (!first) return
    if (first.k > 0) {
      const again = this.#isAgain(first, `${first.term}/${first.k}`)
      if (again) this.#reach('an order repeated after a view change')
    }
    for (const batch of batches) {
      if (hasKind(batch, KIND.term)) this.#term(batch)
      if (new Set(metasOf(batch).map(kindOf)).size > 1) this.#reach('a batch of several kinds')
    }
  }

  #term(batch: Batch): void {
    const { nonce } = decodeTerm(entriesOf(batch)[0]!.body)
    if (this.#isAgain(batch, nonce)) this.#reach('a claim repeated after a view change')
  }

  #isAgain(batch: Batch, key: string): boolean {
    const epoch = formatEpoch(batch.epoch)
    const known = this.#writtenIn.get(key)
    if (known === undefined) this.#writtenIn.set(key, epoch)
    return known !== undefined && known !== epoch
  }

  sent(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'APPEND':
        return this.#append(from, message)
      case 'CLAIM':
        if (this.#claims.get(from) === message.nonce) this.#reach('a claim is said again')
        this.#claims.set(from, message.nonce)
        return
      case 'PULLED':
        if (message.batches.some(({ absent, bodies }) => absent.length > 0 && bodies.length > 0))
          this.#reach('a batch is pulled with some of its bodies')
        return
      case 'ORDER':
        if (message.attempt === 2) this.#reach('an order is tried a second time')
        if (message.attempt === 3) this.#reach('an order is tried a third time')
        return
      case 'RECEIPT': {
        const receipt = `${to.name}/${message.index}`
        if (this.#receipts.has(receipt)) this.#reach('a repeated send gets its receipt again')
        this.#receipts.add(receipt)
      }
    }
  }

  #append(from: Host, { id, term, k }: The<'APPEND'>): void {
    if (term === 0) return
    const known = this.#unanswered.get(from) ?? new Set()
    this.#unanswered.set(from, known)
    if (known.has(id)) return this.#reach('an append is said again')
    known.add(id)
    // A scripted writer is a whole ring, so nobody votes.
    const votes = from.machine !== null && 'role' in from.machine
    if (votes && this.#ring > 1 && !this.#voted.has(`${term}/${k}`)) {
      this.#reach('a replica decides alone')
    }
  }

  delivered(from: Host, to: Host, message: Message): void {
    switch (message.type) {
      case 'APPENDED':
        this.#unanswered.get(to)?.delete(message.id)
        return
      case 'FENCED':
        if ((this.#unanswered.get(to)?.size ?? 0) > 1)
          this.#reach('FENCED answers one of several pending appends')
        this.#unanswered.delete(to)
        return
      case 'VOTE':
        if (from !== to) this.#voted.add(`${message.term}/${message.k}`)
        return
      case 'ELECTION':
        this.#electing.add(to)
        return
      case 'RESIGN': {
        const { machine } = to
        if (machine && 'term' in machine && machine.term === message.term) {
          this.#reach('a coordinator is asked to resign')
        }
      }
    }
  }
}
