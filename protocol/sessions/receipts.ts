// A sender's view of its sends: accepted, stored, delivered, read, refused or expired. Only the sender is
// told, and of its recipients' marks it learns only what they mean for its own messages.

import type { LinkId } from '../machine/machine.js'
import { MAX_FOLLOWED } from '../schema/shared.js'
import type { The } from '../messages/catalogue.js'
import type { Executor } from '../state/executor.js'
import type { SentMessage } from '../state/sent-index.js'
import type { ProcessingContext } from '../processing/context.js'
import type { RequestContext, Subscriptions } from './request-context.js'
import type { Session } from './session.js'

type Receipt = The<'RECEIPTS_ARE'>['sends'][number]

interface Unread {
  readonly to: string
  delivered: boolean
}

interface Follower {
  readonly session: Session
  readonly user: string
  /** By log index. The one that was added first is forgotten first. */
  readonly unread: Map<number, Unread>
}

type ReceiptRequests = Pick<
  RequestContext,
  'reply' | 'refuse' | 'atTip' | 'lookUp' | 'endsWithLogin'
>

export class Receipts implements Subscriptions {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #requests: ReceiptRequests
  readonly #followers = new Map<LinkId, Follower>()

  constructor(context: ProcessingContext, executor: Executor, requests: ReceiptRequests) {
    this.#context = context
    this.#executor = executor
    this.#requests = requests
    requests.endsWithLogin(this)
  }

  list(session: Session, user: string, { request, limit, to }: The<'RECEIPTS'>): void {
    this.#requests.lookUp(session, user, request, () => {
      const sends = this.#executor.base.sent.newest(user, limit, to)
      const receipts = sends.map((sent) => ({ ...sent, state: this.#stateOf(sent) }))
      this.#requests.reply(session, { type: 'RECEIPTS_ARE', request, sends: receipts })
    })
  }

  #stateOf({ to, index, code }: SentMessage): Receipt['state'] {
    if (code !== 0) return 'refused'
    if (this.#executor.base.expiries.unread(to, index)) return 'expired'
    const { delivered, read } = this.#executor.base.marks.of(to)
    if (index <= read) return 'read'
    return index <= delivered ? 'delivered' : 'stored'
  }

  // ---- following ------------------------------------------------------------------------------

  follow(session: Session, user: string, { request, indices }: The<'FOLLOW_RECEIPTS'>): void {
    const follower = this.#followerAt(session) ?? { session, user, unread: new Map() }
    this.#followers.set(session.link, follower)
    this.#requests.atTip(session, request, () => {
      if (this.#followerAt(session) !== follower) {
        return this.#requests.refuse(session, request, 'NOT_LOGGED_IN')
      }
      const mine = this.#executor.base.sent.storedAt(user, indices)
      for (const { to, index } of mine) this.#add(follower, to, index)
      this.#requests.reply(session, { type: 'FOLLOWING_RECEIPTS', request })
      for (const to of new Set(mine.map((sent) => sent.to))) {
        this.#tell(follower, to)
      }
    })
  }

  /**
   * The follower of the session's user: another user may have logged in on the connection since.
   */
  #followerAt({ link, user }: Session): Follower | undefined {
    const follower = this.#followers.get(link)
    return follower?.user === user ? follower : undefined
  }

  /** A send of this session has a place in an order. */
  accepted(session: Session, { request, seq }: The<'SEND' | 'SEND_SEALED'>): void {
    if (!this.#followerAt(session)) return
    this.#context.outbox.send(session.link, { type: 'ACCEPTED', request, seq })
  }

  /**
   * The session has just got the RECEIPT. A message that was stored long ago may have been read
   * since.
   */
  stored(session: Session, to: string, index: number): void {
    const follower = this.#followerAt(session)
    if (!follower) return
    this.#add(follower, to, index)
    this.#tell(follower, to)
  }

  #add({ unread }: Follower, to: string, index: number): void {
    if (unread.has(index)) return
    unread.set(index, { to, delivered: false })
    if (unread.size <= MAX_FOLLOWED) return
    const [oldest] = unread.keys()
    unread.delete(oldest!)
  }

  /** Marks of these users have moved in the committed log, or messages to them have expired. */
  moved(users: ReadonlySet<string>): void {
    for (const follower of this.#followers.values()) {
      for (const user of users) this.#tell(follower, user)
    }
  }

  /** Tells what has become of messages to this user, and was not reported yet. */
  #tell({ session, user, unread }: Follower, to: string): void {
    if (session.user !== user) return
    const { marks, expiries } = this.#executor.base
    const mark = marks.of(to)
    const expired: number[] = []
    let [delivered, read] = [0, 0]
    for (const [index, one] of unread) {
      if (one.to === to && expiries.unread(to, index)) {
        expired.push(index)
        unread.delete(index)
        continue
      }
      const isRead = index <= mark.read
      if (one.to !== to || index > mark.delivered || (one.delivered && !isRead)) continue
      one.delivered = true
      delivered = Math.max(delivered, index)
      if (!isRead) continue
      read = Math.max(read, index)
      unread.delete(index)
    }
    if (delivered === 0 && expired.length === 0) return
    const state = { type: 'RECEIPT_STATE', to, delivered, read, expired } as const
    this.#context.outbox.send(session.link, state)
  }

  forget(link: LinkId): void {
    this.#followers.delete(link)
  }
}
