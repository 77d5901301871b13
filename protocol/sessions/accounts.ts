// Accounts: registration and log-in. What takes long is computed off the event loop first; the outcome
// then becomes a command.

import type { The } from '../messages/catalogue.js'
import { errorName, type ErrorName } from '../errors.js'
import { KIND } from '../entries/entry.js'
import { sameBytes, sha256, idOf } from '../bytes.js'
import { decodeNote, type Account } from '../entries/bodies.js'
import { isClientHeld } from '../state/decide-accounts.js'
import type { Executor } from '../state/executor.js'
import { isOpen } from '../state/directory.js'
import type { RingStanding } from '../processing/context.js'
import type { Asking } from './request-context.js'
import { AccountChanges } from './account-changes.js'
import { Computing } from './compute-quota.js'
import type { Session } from './session.js'
import { isUserName } from '../schema/shared.js'
import { refusal } from '../messages/refusal.js'

export interface AccountsPort extends Asking {
  /** Nobody is logged in here any more. */
  logOut(session: Session): void
  /** Its connection has not ended. */
  lives(session: Session): boolean
  /** Runs `then` when it holds all that it ever held: later only while it is built again. */
  again(then: () => void): void
}

export class Accounts {
  readonly #s: RingStanding
  readonly #executor: Executor
  readonly #port: AccountsPort
  readonly #computing: Computing
  readonly changes: AccountChanges

  constructor(standing: RingStanding, executor: Executor, port: AccountsPort) {
    this.#s = standing
    this.#executor = executor
    this.#port = port
    this.#computing = new Computing(standing, port)
    this.changes = new AccountChanges(standing, executor, this.#computing, {
      ...port,
      unlock: (...of) => this.#unlock(...of),
      sayAccount: (...of) => this.#sayAccount(...of),
    })
  }

  register(session: Session, message: The<'REGISTER'>): void {
    const { request, name, password, token } = message
    if (!isUserName(name)) return this.#port.reply(session, refusal(request, 'BAD_NAME'))
    this.#port.atTip(session, request, () => {
      const { base } = this.#executor
      const existing = base.account(name)
      if (existing && sameBytes(existing.token, token))
        return this.#unlock(session, request, name, password)
      const refused = base.isTaken(name) ? 'NAME_TAKEN' : this.#whyNotLetIn(message.invitation)
      if (refused) return this.#port.reply(session, refusal(request, refused))
      this.#create(session, message)
    })
  }

  /** What is sure not to be let in need not be computed; execution decides. */
  #whyNotLetIn(invitation: Uint8Array | null): ErrorName | null {
    const { registration } = this.#s
    const { base } = this.#executor
    if (registration === 'closed') return 'REGISTRATION_CLOSED'
    if (!invitation) {
      return registration === 'invitation' && !base.isEmpty ? 'INVITATION_NEEDED' : null
    }
    const known = base.invitation(idOf(sha256(invitation)))
    // The order's time is not earlier than what is in the log.
    const open = known && !known.used && isOpen(known, base.time)
    return open ? null : 'BAD_INVITATION'
  }

  #create(session: Session, message: The<'REGISTER'>): void {
    const { request, name, password, token, keys, invitation } = message
    const bits = this.#s.limits.keyBits
    this.#computing.run(
      session,
      request,
      { kind: 'create-account', user: name, password, bits, keys },
      (result) => {
        if (result.kind === 'bad-keys') {
          return this.#port.reply(session, refusal(request, 'BAD_KEYS'))
        }
        if (result.kind !== 'create-account') {
          this.#port.reply(session, refusal(request, 'OVERLOADED', 'no key could be made'))
          return
        }
        const gate = {
          invitation: invitation && sha256(invitation),
          byInvitation: this.#s.registration === 'invitation',
        }
        const asked = { kind: 'register', name, token, ...gate, ...result.secrets } as const
        this.#port.submit(session, request, asked, (entry, meta) => {
          if (meta.kind === KIND.account) {
            this.#logIn(session, request, name, result.privateKeys, 1)
            return
          }
          const { code } = decodeNote(entry.body)
          if (code === 0) this.#unlock(session, request, name, password)
          else this.#port.reply(session, refusal(request, errorName(code) ?? 'BAD_REQUEST'))
        })
      },
    )
  }

  login(session: Session, message: The<'LOGIN'>): void {
    const { request, name, password } = message
    if (this.#computing.refusesPassword(session, request, name)) return
    this.#port.atTip(session, request, () => this.#unlock(session, request, name, password))
  }

  /** An unknown user costs the same work as a wrong password, and gets the same answer. */
  #unlock(session: Session, request: number, name: string, password: string): void {
    const account: Account | undefined = this.#executor.base.account(name)
    const secrets = account?.secrets ?? null
    this.#computing.run(
      session,
      request,
      { kind: 'unlock', user: name, password, secrets },
      (result) => {
        if (result.kind !== 'unlock') {
          const text = 'the log-in could not be checked'
          this.#port.reply(session, refusal(request, 'OVERLOADED', text))
        } else if (!result.privateKeys) {
          this.#port.reply(session, refusal(request, 'BAD_CREDENTIALS'))
        } else {
          this.#logIn(session, request, name, result.privateKeys, account!.version)
        }
      },
    )
  }

  /**
   * `version`: of the account that the keys are from. While the state is built again from the log,
   * the account and its cursor are not what they were.
   */
  #logIn(
    session: Session,
    request: number,
    name: string,
    privateKeys: readonly Uint8Array[],
    version: number,
  ): void {
    this.#port.again(() => this.#begin(session, request, name, privateKeys, version))
  }

  #begin(
    session: Session,
    request: number,
    name: string,
    privateKeys: readonly Uint8Array[],
    version: number,
  ): void {
    const account = this.#executor.base.account(name)
    if (!this.#port.lives(session) || account?.version !== version) {
      for (const key of privateKeys) key.fill(0)
      // It was changed while the password was being checked.
      return this.#port.reply(session, refusal(request, 'SESSION_ENDED'))
    }
    for (const key of session.privateKeys) key.fill(0)
    session.user = name
    session.privateKeys = privateKeys
    session.clientHeld = isClientHeld(account.secrets)
    session.version = version
    this.#s.outbox.admit(session.link)
    this.#sayAccount(session, request, name)
  }

  #sayAccount(session: Session, request: number, name: string): void {
    const account = this.#executor.base.account(name)!
    const { kid: fingerprint, bits } = this.#executor.keyOf(account)
    const held = isClientHeld(account.secrets) ? 'client' : 'service'
    const cursor = this.#executor.base.marks.of(name).read
    this.#port.reply(session, { type: 'SESSION', request, name, fingerprint, bits, held, cursor })
  }
}
