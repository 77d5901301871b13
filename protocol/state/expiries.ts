// Which messages expired unread, by mailbox: stretches of log indices, counted from the committed log.
// They serve to tell senders the truth; execution never reads them.

import type { Expiry } from '../entries/expiry.js'

/** Messages of the mailbox above `after`, through `through`, expired unread. */
interface Stretch {
  readonly after: number
  readonly through: number
}

export interface Expired {
  /** All messages at or below this index have expired. */
  readonly through: number
  /** In order, apart from each other. */
  readonly unread: readonly Stretch[]
}

/** Stretches of one mailbox: where there are more, the two oldest become one. */
const MOST_STRETCHES = 32

export class Expiries {
  readonly #byMailbox = new Map<string, Expired>()
  readonly #touch: (mailbox: string) => void

  /** `touch` is called before the stretches of a mailbox change. */
  constructor(touch: (mailbox: string) => void = () => {}) {
    this.#touch = touch
  }

  get size(): number {
    return this.#byMailbox.size
  }

  add(mailbox: string, { read, through }: Expiry): void {
    const before = this.of(mailbox)
    if (through <= before.through) return
    const after = Math.max(read, before.through)
    this.put(mailbox, { through, unread: joined(before.unread, { after, through }) })
  }

  of(mailbox: string): Expired {
    return this.#byMailbox.get(mailbox) ?? { through: 0, unread: [] }
  }

  put(mailbox: string, expired: Expired): void {
    this.#touch(mailbox)
    this.#byMailbox.set(mailbox, expired)
  }

  /** Whether the message at `index` of the mailbox expired before it was read. */
  unread(mailbox: string, index: number): boolean {
    const { unread } = this.of(mailbox)
    return unread.some(({ after, through }) => index > after && index <= through)
  }

  mailboxes(): Iterable<string> {
    return this.#byMailbox.keys()
  }
}

function joined(stretches: readonly Stretch[], added: Stretch): Stretch[] {
  if (added.after >= added.through) return [...stretches]
  const last = stretches.at(-1)
  const next =
    last && last.through === added.after
      ? [...stretches.slice(0, -1), { after: last.after, through: added.through }]
      : [...stretches, added]
  if (next.length <= MOST_STRETCHES) return next
  const [first, second, ...rest] = next
  return [{ after: first!.after, through: second!.through }, ...rest]
}
