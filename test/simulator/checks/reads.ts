// Linearizable reads of the log service: READ and TIP see everything that was committed when they
// were asked, and a page is exactly the ledger's stretch of that mailbox. P9: the answer rests on a
// majority of voters that were asked after the read came.

import { decodeDrop, isDrop } from '../../../protocol/entries/drop.js'
import { lastOf, type Batch } from '../../../protocol/entries/batch.js'
import { KIND } from '../../../protocol/entries/entry.js'
import type { Transaction } from '../../../protocol/machine/storage.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Disk } from '../disk.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

interface Asked {
  readonly committed: number
  /** The boot of the store that the read reached; rounds before `round` began too early for it. */
  boot: string
  round: number
  readonly message: The<'READ'> | The<'TIP'>
}

const keyOf = ({ chain }: Batch): string => Buffer.from(chain).toString('latin1')

const bootOf = (host: Host): string => `${host.name}/${host.boot}`

export class ReadCheck implements Check {
  readonly #history: History
  readonly #asked = new Map<string, Asked>()
  readonly #majority: number
  /** The newest round of a store's boot, and the voters that answered each round. */
  readonly #rounds = new Map<string, number>()
  readonly #answers = new Map<string, Set<number>>()

  /** By store: the commit index of the source of each batch that came without a text. */
  readonly #offered = new Map<number, Map<string, number>>()
  /** By store: last indices of batches taken up without a text, and the source's commit index. */
  readonly #bare = new Map<number, { readonly index: number; readonly commit: number }[]>()

  constructor(history: History, slots: number) {
    this.#history = history
    this.#majority = Math.floor(slots / 2) + 1
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'READ' || message.type === 'TIP') {
      const key = `${from.name}/${from.boot}/${to.name}/${message.request}`
      const committed = this.#history.committed.index
      // For a read repeated on a new link the answer may be to the first.
      if (!this.#asked.has(key))
        this.#asked.set(key, { committed, boot: '', round: Infinity, message })
    }
    if (message.type === 'LAST_ASK') this.#rounds.set(bootOf(from), message.round)
    if (message.type === 'READ_PAGE' || message.type === 'TIP_IS') {
      const key = `${to.name}/${to.boot}/${from.name}/${message.request}`
      const asked = this.#asked.get(key)
      if (!asked) return
      const seen = message.type === 'TIP_IS' ? message.index : message.through
      expect(seen >= asked.committed, 'read', () => {
        return `${from.name} sees ${seen} in a read begun when ${asked.committed} was committed`
      })
      this.#voted(from, asked)
      if (message.type === 'READ_PAGE') {
        this.#page(from, asked.message as The<'READ'>, message)
        this.#ofOneMoment(from, message)
      }
      this.#asked.delete(key)
    }
  }

  delivered(from: Host, to: Host, message: Message): void {
    if (message.type === 'PULLED') return this.#pulled(to, message)
    if (message.type === 'READ' || message.type === 'TIP') {
      const asked = this.#asked.get(`${from.name}/${from.boot}/${to.name}/${message.request}`)
      const boot = bootOf(to)
      // A second copy of the read changes nothing for the first.
      if (!asked || asked.boot === boot) return
      asked.boot = boot
      asked.round = (this.#rounds.get(boot) ?? 0) + 1
    } else if (message.type === 'LAST_IS' && !message.learner) {
      const key = `${bootOf(to)} ${message.round}`
      const answers = this.#answers.get(key)
      if (answers) answers.add(from.slot)
      else this.#answers.set(key, new Set([from.slot]))
    }
  }

  #voted(from: Host, { round }: Asked): void {
    const own = from.disk!.voter ? 1 : 0
    if (own >= this.#majority) return
    let most = 0
    for (let i = round; i <= (this.#rounds.get(bootOf(from)) ?? 0); i++) {
      most = Math.max(most, own + (this.#answers.get(`${bootOf(from)} ${i}`)?.size ?? 0))
    }
    expect(most >= this.#majority, 'P9', () => {
      return `${from.name} answers a read after ${most} voters; ${this.#majority} are needed`
    })
  }

  #page(from: Host, asked: The<'READ'>, page: The<'READ_PAGE'>): void {
    const { ledger } = this.#history
    const end = page.more ? (page.messages.at(-1)?.index ?? asked.after) : page.through
    // The page shows the log as of `through`, without the messages deleted by then.
    const gone = new Set<number>()
    let goneThrough = 0
    for (let i = asked.after + 1; i <= page.through; i++) {
      const { entry, meta } = ledger[i]!
      if (!isDrop(meta!) || meta!.mailbox !== asked.mailbox) continue
      const { indices, through } = decodeDrop(entry!)
      for (const index of indices ?? []) gone.add(index)
      if (!indices) goneThrough = Math.max(goneThrough, through)
    }
    const wanted: number[] = []
    for (let i = asked.after + 1; i <= end; i++) {
      const meta = ledger[i]!.meta!
      if (meta.kind === KIND.message && meta.mailbox === asked.mailbox && i > goneThrough) {
        if (!gone.has(i)) wanted.push(i)
      }
    }
    const got = page.messages.map(({ index }) => index)
    expect(got.join() === wanted.join(), 'read', () => {
      return `${from.name}'s page of ${asked.mailbox} has [${got}], the ledger [${wanted}]`
    })
  }

  /** An entry without its text, erased by a later deletion, belongs to a page of that later log. */
  #ofOneMoment({ name, slot }: Host, { through }: The<'READ_PAGE'>): void {
    const early = this.#bare.get(slot)?.find(({ index }) => index <= through)
    expect(!early || through >= early.commit, 'read', () => {
      const source = `its source had committed ${early!.commit}`
      return `${name} reads through ${through}; ${early!.index} came without its text, and ${source}`
    })
  }

  #pulled({ slot }: Host, { batches, commit }: The<'PULLED'>): void {
    const offered = this.#offered.get(slot) ?? new Map<string, number>()
    this.#offered.set(slot, offered)
    for (const batch of batches.filter(({ absent }) => absent.length > 0)) {
      // The file does not say which of two sources it came from.
      const known = offered.get(keyOf(batch)) ?? commit
      offered.set(keyOf(batch), Math.min(known, commit))
    }
  }

  started(host: Host): void {
    if (host.role !== 'persistence') return
    this.#offered.delete(host.slot)
    this.#bare.delete(host.slot)
  }

  written({ slot }: Disk, { batches = [] }: Transaction): void {
    const first = batches.find(({ absent }) => absent.length > 0)
    const commit = first && this.#offered.get(slot)?.get(keyOf(first))
    if (commit === undefined) return
    this.#bare.set(slot, [...(this.#bare.get(slot) ?? []), { index: lastOf(first!), commit }])
  }
}
