// Quota of computations (scrypt and RSA) for clients: bounded in all, for each address and for each
// account, and guarded against guessing. A refusal here costs no computation. Its text depends on
// the request and the address, never on whether the account exists.

import type { The } from '../messages/catalogue.js'
import { Multiset } from '../multiset.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Job, JobResult } from '../machine/compute.js'
import { LoginBackoff, pairOf } from './login-backoff.js'
import { RateLimiter } from './rates.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'
import { refusal } from '../messages/refusal.js'

/** Kinds that a registration needs; a name that is taken counts as one that is free. */
const REGISTRATIONS: ReadonlySet<Job['kind']> = new Set(['create-account', 'hash-password'])

/** All computations but opening messages, which needs a log-in. */
export type AccountJob = Exclude<Job, { kind: 'open' }>

/**
 * A key takes at least as long as this number of log-ins: an address may have so many fewer keys at
 * once.
 */
const KEY_WEIGHT = 8
/**
 * Computations at once of one (account, address) that is not suspect: a user may have several
 * devices.
 */
const PAIR_AT_ONCE = 16
/** Wait after which a computation of the address has most likely ended, ms. */
const SOON_MS = 500

/** Whether the password was right; null: the result does not tell. */
function fitted(result: JobResult): boolean | null {
  switch (result.kind) {
    case 'unlock':
      return result.privateKeys !== null
    case 'change-password':
      return result.secrets !== null
    case 'rotate-key':
      return result.rotated !== null
    case 'add-key':
      return result.rotated !== null || result.badKey !== null
    default:
      return null
  }
}

export class ComputeQuota {
  readonly #context: ProcessingContext
  readonly #requests: Pick<RequestContext, 'reply' | 'isConnected'>
  readonly #backoff: LoginBackoff
  readonly #registrations: RateLimiter
  /** Computations that run or wait. */
  readonly #byOrigin = new Multiset()
  readonly #byAccount = new Multiset()
  readonly #byPair = new Multiset()

  constructor(context: ProcessingContext, requests: Pick<RequestContext, 'reply' | 'isConnected'>) {
    this.#context = context
    this.#requests = requests
    const { wrongPasswords, wrongPasswordsPerAddress, backOffMs, registrationsPerMinute } =
      context.limits
    this.#backoff = new LoginBackoff({
      perPair: wrongPasswords,
      perAddress: wrongPasswordsPerAddress,
      maxMs: backOffMs,
    })
    this.#registrations = new RateLimiter({
      perSecond: registrationsPerMinute / 60,
      burst: registrationsPerMinute,
    })
  }

  /** Addresses whose registrations are counted. */
  get counted(): number {
    return this.#registrations.size
  }

  /** Accounts and addresses with wrong passwords. */
  get failures(): number {
    return this.#backoff.size
  }

  get #keysPerAddress(): number {
    return Math.max(1, Math.floor(this.#context.limits.computationsPerAddress / KEY_WEIGHT))
  }

  /** Calls `then`, or answers with a refusal. A long computation sends PROGRESS. */
  run(session: Session, request: number, job: AccountJob, then: (result: JobResult) => void): void {
    const { origin } = session
    const refused = this.#whyNot(origin, request, job)
    if (refused) return this.#requests.reply(session, refused)
    const pair = pairOf(job.user, origin)
    this.#byOrigin.add(origin)
    this.#byAccount.add(job.user)
    this.#byPair.add(pair)
    this.#context.outbox.compute(
      job,
      origin,
      (result) => {
        this.#byOrigin.remove(origin)
        this.#byAccount.remove(job.user)
        this.#byPair.remove(pair)
        this.#learn(job.user, origin, fitted(result))
        then(result)
      },
      (text) => {
        if (!this.#requests.isConnected(session)) return
        this.#context.outbox.send(session.link, { type: 'PROGRESS', request, text })
      },
    )
  }

  /** Checked before any other work for a log-in. */
  refusesPassword(session: Session, request: number, user: string): boolean {
    const refused = this.#whyWait(session.origin, request, user)
    if (refused) this.#requests.reply(session, refused)
    return refused !== null
  }

  #learn(user: string, origin: string, right: boolean | null): void {
    if (right === true) this.#backoff.succeeded(user, origin)
    if (right === false) this.#backoff.failed(user, origin, this.#context.now.monotonic)
  }

  #whyNot(origin: string, request: number, job: AccountJob): The<'ERROR'> | null {
    const { computations, computationsPerAddress } = this.#context.limits
    if (this.#byOrigin.size >= computations) {
      return refusal(request, 'OVERLOADED', 'too many log-ins at once', { retryAfter: 1_000 })
    }
    const mayHave = job.kind === 'unlock' ? computationsPerAddress : this.#keysPerAddress
    if (this.#byOrigin.count(origin) >= mayHave) {
      const detail = `${computationsPerAddress} log-ins, or ${this.#keysPerAddress} registrations`
      return refusal(request, 'ADDRESS_BUSY', detail, { retryAfter: SOON_MS })
    }
    // All addresses together that try one account leave room for the others.
    if (this.#byAccount.count(job.user) >= Math.max(1, computations / 2)) {
      const detail = 'too many log-ins of this account at once'
      return refusal(request, 'OVERLOADED', detail, { retryAfter: 1_000 })
    }
    if (!REGISTRATIONS.has(job.kind)) return this.#whyWait(origin, request, job.user)
    const retryAfter = this.#registrations.take(origin, this.#context.now.monotonic)
    if (retryAfter === 0) return null
    const { registrationsPerMinute } = this.#context.limits
    const detail = `${registrationsPerMinute} a minute; again in ${inSeconds(retryAfter)}`
    return refusal(request, 'TOO_MANY_REGISTRATIONS', detail, { retryAfter })
  }

  #whyWait(origin: string, request: number, user: string): The<'ERROR'> | null {
    const now = this.#context.now.monotonic
    const retryAfter = this.#backoff.waitMs(user, origin, now)
    if (retryAfter > 0) {
      const detail = `again in ${inSeconds(retryAfter)}`
      return refusal(request, 'TOO_MANY_ATTEMPTS', detail, { retryAfter })
    }
    const atOnce = this.#backoff.isSuspect(user, origin, now) ? 1 : PAIR_AT_ONCE
    if (this.#byPair.count(pairOf(user, origin)) < atOnce) return null
    const detail = `${atOnce} log-ins of this account`
    return refusal(request, 'ADDRESS_BUSY', detail, { retryAfter: SOON_MS })
  }
}

function inSeconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`
}
