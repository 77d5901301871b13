// What a virtual user has asked and not been answered, and for how long it puts up with that.

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
/** Nobody can order anything here. */
const CUT_OFF: ReadonlySet<number> = new Set([ERRORS.NO_QUORUM.code, ERRORS.NOT_READY.code])
/** Answers that need no order. */
const LOOKED_UP: ReadonlySet<string> = new Set<MessageName>([
  ...(['STATUS_IS', 'PAGE', 'LISTENING', 'RECEIPTS_ARE', 'FOLLOWING_RECEIPTS'] as const),
  ...(['KEYS_ARE', 'WRAPPED_KEYS', 'BLOCKED_ARE'] as const),
])

export class PendingRequests {
  /** Never the same in two lives: answers to a former one may still come to be sent. */
  #last: number
  readonly #asked = new Map<number, Asked>()
  /** Since when nothing could be ordered over a link. */
  readonly #vain = new Map<LinkId, number>()

  /** Requests are numbered from there. */
  constructor(after: number) {
    this.#last = after
  }

  get size(): number {
    return this.#asked.size
  }

  /** The number of the request. Without `then` no answer is waited for. */
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

  /** A link over which an answer is late; undefined: none is. */
  late(now: number): LinkId | undefined {
    return [...this.#asked.values()].find(({ since }) => now - since > PATIENCE_MS)?.link
  }

  /** Nothing has been ordered over it for long: that replica may be cut off alone. */
  isInVain(link: LinkId, now: number): boolean {
    return now - (this.#vain.get(link) ?? now) > PATIENCE_MS
  }
}
