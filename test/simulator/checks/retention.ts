// Retention: what is erased was beyond the rule of its mailbox, and what is beyond it is erased within
// a bound. A message is beyond a rule from the first state of the log in which it is too old, or in
// which the newer messages of its mailbox fill the rule. The checks compute that from the log alone.

import { KIND, type Entry } from '../../../protocol/entries/entry.js'
import { decodeDrop, drops, isDrop } from '../../../protocol/entries/drop.js'
import {
  KEEP_ALL,
  decodeRetention,
  sameRule,
  stricter,
  type RetentionRule,
} from '../../../protocol/entries/retention.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Coverage } from '../coverage.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import type { Setting } from '../setting.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import type { Requests } from './requests.js'

/**
 * Virtual ms that a coordinator has for what is beyond a rule: some rounds, each with a question to
 * the log. Orders may stand still for a while.
 */
const BOUND_MS = 4_000

interface Kept {
  readonly entry: Entry
  /** When the newer messages first filled the rule, virtual ms: the message may be erased. */
  filledAt: number
  /**
   * Since when they fill it, virtual ms; Infinity: they do not, perhaps since the owner has deleted
   * some. The message must be erased.
   */
  filledSince: number
}

interface Mailbox {
  /** Messages that are not erased, in log order. */
  kept: Kept[]
  wish: RetentionRule
  /** Wishes of before, with the index from which on each held. */
  readonly wishes: { readonly from: number; readonly wish: RetentionRule }[]
}

export class RetentionCheck implements Check {
  readonly #rule: RetentionRule
  /** Nobody need erase: replicas differ in their configuration, or more breaks than is allowed. */
  readonly #idle: boolean
  readonly #requests: Requests
  readonly #coverage: Coverage
  readonly #now: () => number
  readonly #history: History
  readonly #mailboxes = new Map<string, Mailbox>()
  #time = 0
  /** When the last coordinator began, virtual ms. */
  #began = 0

  constructor(
    history: History,
    { retention, uneven, mayHalt }: Pick<Setting, 'retention' | 'uneven' | 'mayHalt'>,
    requests: Requests,
    coverage: Coverage,
    now: () => number,
  ) {
    this.#rule = retention ?? KEEP_ALL
    this.#idle = mayHalt || (uneven ?? false)
    this.#requests = requests
    this.#coverage = coverage
    this.#now = now
    this.#history = history
    history.onCommit((node) => this.#committed(node))
  }

  #of(name: string): Mailbox {
    const known = this.#mailboxes.get(name)
    if (known) return known
    const made: Mailbox = { kept: [], wish: KEEP_ALL, wishes: [{ from: 0, wish: KEEP_ALL }] }
    this.#mailboxes.set(name, made)
    return made
  }

  #committed({ entry: node }: Node): void {
    const entry = node!
    const { index, term, meta } = entry
    if (term > 0) this.#time = Math.max(this.#time, entry.time)
    if (meta.kind === KIND.term) this.#began = this.#now()
    const mailbox = this.#of(meta.mailbox)
    if (meta.kind === KIND.expired) this.#justified(entry, mailbox)
    if (isDrop(meta)) {
      const drop = decodeDrop(entry)
      mailbox.kept = mailbox.kept.filter((one) => !drops(drop, one.entry))
    }
    if (meta.kind === KIND.message)
      mailbox.kept.push({ entry, filledAt: Infinity, filledSince: Infinity })
    if (meta.kind === KIND.retention) {
      mailbox.wish = decodeRetention(entry.body)
      mailbox.wishes.push({ from: index, wish: mailbox.wish })
      for (const one of mailbox.kept) one.filledAt = one.filledSince = Infinity
    }
    this.#fill(mailbox)
  }

  /** Notes the messages that the newer ones leave no room for. */
  #fill({ kept, wish }: Mailbox): void {
    const { count, bytes } = stricter(this.#rule, wish)
    let [messages, held] = [0, 0]
    for (const one of kept.toReversed()) {
      messages++
      held += one.entry.bodyBytes
      const full = (count > 0 && messages > count) || (bytes > 0 && held > bytes)
      one.filledSince = full ? Math.min(one.filledSince, this.#now()) : Infinity
      one.filledAt = Math.min(one.filledAt, one.filledSince)
    }
  }

  #justified(expired: Entry, { kept, wish }: Mailbox): void {
    this.#coverage.reach('messages expire')
    const drop = decodeDrop(expired)
    const { age } = stricter(this.#rule, wish)
    for (const { entry, filledAt } of kept) {
      if (!drops(drop, entry)) continue
      const old = age > 0 && this.#time - entry.time > age
      expect(old || filledAt < Infinity, 'retention', () => {
        const rule = JSON.stringify(stricter(this.#rule, wish))
        return `entry ${drop.index} erases ${entry.index} of ${drop.mailbox}, which ${rule} keeps`
      })
    }
  }

  sent(_from: Host, to: Host, message: Message): void {
    if (message.type === 'RETENTION_IS' && to.role === 'client') this.#told(to, message)
  }

  /** The wish of one state between the request and the answer. */
  #told(to: Host, { request, own }: The<'RETENTION_IS'>): void {
    const { user, end } = this.#requests.any(to, request)
    const { wishes } = this.#of(user)
    const since = wishes.filter((_, i) => (wishes[i + 1]?.from ?? Infinity) > end)
    expect(
      since.some(({ wish }) => sameRule(wish, own)),
      'retention',
      () => `${to.name} is told that ${user} wants ${JSON.stringify(own)}, which it never said`,
    )
  }

  ended(): void {
    const now = this.#now()
    if (this.#idle || now - this.#began < BOUND_MS) return
    for (const [name, { kept, wish }] of this.#mailboxes) {
      const { age } = stricter(this.#rule, wish)
      const late = kept.find(({ entry, filledSince }) => {
        const old = age > 0 && this.#time - entry.time > age + BOUND_MS
        return old || now - Math.max(filledSince, this.#began) > BOUND_MS
      })
      expect(late === undefined, 'retention', () => {
        const rule = JSON.stringify(stricter(this.#rule, wish))
        return `${name} still has ${late!.entry.index} at ${this.#history.committed.index}, beyond ${rule}`
      })
    }
  }
}
