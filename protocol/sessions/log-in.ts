// Log-in: a worker checks the password, and the account's keys are opened for one connection.

import type { The } from '../messages/catalogue.js'
import type { ProcessingContext } from '../processing/context.js'
import { isClientHeld } from '../state/account.js'
import type { Executor } from '../state/executor.js'
import type { ComputeQuota } from './compute-quota.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'

export class LogIn {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #requests: RequestContext
  readonly #quota: ComputeQuota

  constructor(
    context: ProcessingContext,
    executor: Executor,
    requests: RequestContext,
    quota: ComputeQuota,
  ) {
    this.#context = context
    this.#executor = executor
    this.#requests = requests
    this.#quota = quota
  }

  login(session: Session, { request, name, password }: The<'LOGIN'>): void {
    if (this.#quota.refusesPassword(session, request, name)) return
    this.#requests.atTip(session, request, () => this.unlock(session, request, name, password))
  }

  /** An unknown user costs the same work as a wrong password, and gets the same answer. */
  unlock(session: Session, request: number, name: string, password: string): void {
    const account = this.#executor.base.account(name)
    const secrets = account?.secrets ?? null
    const job = { kind: 'unlock', user: name, password, secrets } as const
    this.#quota.run(session, request, job, (result) => {
      if (result.kind !== 'unlock') {
        const text = 'the log-in could not be checked'
        this.#requests.refuse(session, request, 'OVERLOADED', text)
      } else if (!result.privateKeys) {
        this.#requests.refuse(session, request, 'BAD_CREDENTIALS')
      } else {
        this.open(session, request, name, result.privateKeys, account!.version)
      }
    })
  }

  /**
   * `version` of the account that the keys are from. While the state is rebuilt from the log, the
   * account and its marks are those of an earlier time: the session begins after the rebuild.
   */
  open(
    session: Session,
    request: number,
    name: string,
    privateKeys: readonly Uint8Array[],
    version: number,
  ): void {
    this.#requests.waiters.again(() => this.#begin(session, request, name, privateKeys, version))
  }

  #begin(
    session: Session,
    request: number,
    name: string,
    privateKeys: readonly Uint8Array[],
    version: number,
  ): void {
    const account = this.#executor.base.account(name)
    if (!this.#requests.isConnected(session) || account?.version !== version) {
      for (const key of privateKeys) key.fill(0)
      // The account was changed while the password was checked.
      return this.#requests.refuse(session, request, 'SESSION_ENDED')
    }
    for (const key of session.privateKeys) key.fill(0)
    session.user = name
    session.privateKeys = privateKeys
    session.clientHeld = isClientHeld(account.secrets)
    session.version = version
    this.#context.outbox.admit(session.link)
    this.sayAccount(session, request, name)
  }

  sayAccount(session: Session, request: number, name: string): void {
    const account = this.#executor.base.account(name)!
    const { kid: fingerprint, bits } = this.#executor.keyOf(account)
    const held = isClientHeld(account.secrets) ? 'client' : 'service'
    const cursor = this.#executor.base.marks.of(name).read
    this.#requests.reply(session, {
      type: 'SESSION',
      ...{ request, name, fingerprint, bits, held, cursor },
    })
  }
}
