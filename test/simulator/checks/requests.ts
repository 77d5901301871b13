// Requests of clients, by client and number, with what was committed at that moment; and the users
// that are logged in. A client never uses a number twice, over all its boots.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Account } from '../../../protocol/state/account.js'
import type { Host } from '../host.js'
import { Violation } from '../violation.js'
import type { Check } from './check.js'
import { hex, type ClientLedger } from './ledger.js'

const NAMES = [
  'REGISTER',
  'LOGIN',
  'OPEN_STREAM',
  'CLOSE_STREAM',
  'SEND',
  'INBOX',
  'LISTEN',
  'CHANGE_PASSWORD',
  'ROTATE_KEY',
  'ADD_KEY',
  'EXPORT_KEYS',
  'KEYS',
  'DELETE',
  'INVITE',
  'BLOCK',
  'UNBLOCK',
  'BLOCKED',
  'DELETE_ACCOUNT',
  'USAGE',
  'RETAIN',
  'RETENTION',
  'RECEIPTS',
  'FOLLOW_RECEIPTS',
] as const

type Asking = The<(typeof NAMES)[number]>

const ASKING: ReadonlySet<string> = new Set(NAMES)

export interface Request<A extends Asking = Asking> {
  readonly asked: A
  /** The user that was logged in; '': nobody. */
  readonly user: string
  /** What was committed at the request: the log's end, the next seq, the account and its mark. */
  readonly end: number
  readonly next: number
  readonly registered: boolean
  readonly cursor: number
}

type Change = The<'CHANGE_PASSWORD' | 'ROTATE_KEY' | 'ADD_KEY'>

const CHANGES: ReadonlySet<string> = new Set(['CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY'])

export function isChange(asked: Asking): asked is Change {
  return CHANGES.has(asked.type)
}

export class Requests implements Check {
  readonly #ledger: ClientLedger
  readonly #requests = new Map<string, Request>()
  readonly #users = new Map<string, string>()

  constructor(ledger: ClientLedger) {
    this.#ledger = ledger
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'SESSION') this.#users.set(`${from.name}/${to.name}`, message.name)
    if (from.role !== 'client') return
    const user = this.userAt(to, from)
    if (message.type === 'CURSOR') {
      this.#ledger.markSaid(user, { delivered: message.index, read: message.index })
    }
    if (message.type === 'DELIVERED') {
      this.#ledger.markSaid(user, { delivered: message.index, read: 0 })
    }
    if (!ASKING.has(message.type)) return
    const asked = message as Asking
    const { accounts, streams, end } = this.#ledger
    const next = asked.type === 'SEND' ? (streams.get(hex(asked.stream))?.next ?? 1) : 0
    const name = 'name' in asked ? asked.name : user
    const [registered, cursor] = [accounts.has(name), this.#ledger.mark(name).read]
    const key = `${from.name}/${asked.request}`
    if (this.#requests.has(key)) throw new Violation('workload', `${key} is asked twice`)
    this.#requests.set(key, { asked, user, end, next, registered, cursor })
  }

  userAt(replica: Host, client: Host): string {
    return this.#users.get(`${replica.name}/${client.name}`) ?? ''
  }

  any(client: Host, request: number): Request {
    const known = this.#requests.get(`${client.name}/${request}`)
    if (!known) throw new Violation('C5', `${client.name} is answered ${request}, never asked`)
    return known
  }

  of<T extends Asking['type']>(client: Host, request: number, type: T): Request<The<T>> {
    const known = this.any(client, request)
    if (known.asked.type === type) return known as unknown as Request<The<T>>
    throw new Violation('C5', `${client.name}'s ${known.asked.type} is answered as a ${type}`)
  }
}

/** The password, as the stand-in for the computations keeps it. */
export function passwordOf({ secrets }: Account): string {
  const [password] = JSON.parse(Buffer.from(secrets.wrappedKey).toString('utf8')) as [string]
  return password
}
