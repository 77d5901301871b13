// The pending requests of a virtual user, and how long the user waits for their answers.

import { ERRORS } from '../../../protocol/errors.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'

export type Then = (answer: Message) => void

interface Asked {
  readonly link: LinkId
  readonly since: number
  readonly then: Then
}

const PATIENCE_MS = 3_000
/** Answers of a replica that cannot order anything. */
const CUT_OFF: ReadonlySet<number> = new Set([ERRORS.NO_QUORUM.code, ERRORS.NOT_READY.code])
/** Answers that need no order. */
const LOOKED_UP: ReadonlySet<string> = new Set<MessageName>([
  ...(['STATUS_IS', 'PAGE', 'LISTENING', 'RECEIPTS_ARE', 'FOLLOWING_RECEIPTS'] as const),
  ...(['KEYS_ARE', 'WRAPPED_KEYS', 'BLOCKED_ARE', 'USAGE_IS'] as const),
])

export class PendingRequests {
  /**
   * The last request number. Numbers of two boots differ: answers to an earlier boot may still
   * come.
   */
  #last: number
  readonly #asked = new Map<number, Asked>()
  /** Since when a link's replica could order nothing, by link. */
  readonly #vain = new Map<LinkId, number>()

  /** Request numbers begin after `after`. */
  constructor(after: number) {
    this.#last = after
  }

  get size(): number {
    return this.#asked.size
  }

  /** The number of the new request. Without `then` the user does not wait for the answer. */
  add(link: LinkId, now: number, then?: Then): number {
    const request = ++this.#last
    if (then) this.#asked.set(request, { link, since: now, then })
    return request
  }

  lost(link: LinkId): void {
    for (const [request, asked] of this.#asked) if (asked.link === link) this.#asked.delete(request)
    this.#vain.delete(link)
  }

  hear(link: LinkId, request: number, answer: Message, now: number): void {
    const refused = answer.type === 'ERROR' && CUT_OFF.has(answer.code)
    if (refused) this.#vain.set(link, this.#vain.get(link) ?? now)
    else if (!LOOKED_UP.has(answer.type)) this.#vain.delete(link)
    const asked = this.#asked.get(request)
    this.#asked.delete(request)
    asked?.then(answer)
  }

  /** A link on which an answer is late; undefined: there is none. */
  late(now: number): LinkId | undefined {
    return [...this.#asked.values()].find(({ since }) => now - since > PATIENCE_MS)?.link
  }

  /** The link's replica has ordered nothing for long: it may be cut off alone. */
  isInVain(link: LinkId, now: number): boolean {
    return now - (this.#vain.get(link) ?? now) > PATIENCE_MS
  }
}
