// Requests that change an account or need its password once more: a new password or key, the export
// of keys, and deletion. A change ends all other sessions of the user: their keys are outdated, and
// the old password that opened them may be the reason for the change.

import type { The } from '../messages/catalogue.js'
import { whyUnusable } from '../password.js'
import { MAX_KEYS } from '../schema/shared.js'
import { KIND } from '../entries/entry.js'
import { sameBytes } from '../bytes.js'
import { decodeNote } from '../entries/note.js'
import { isClientHeld, type Account } from '../state/account.js'
import type { Executor } from '../state/executor.js'
import type { DirectoryView } from '../state/ledger-view.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Job } from '../machine/compute.js'
import type { AccountSecrets } from '../envelope/secrets.js'
import type { LogIn } from './log-in.js'
import type { RequestContext } from './request-context.js'
import type { ComputeQuota } from './compute-quota.js'
import type { Session } from './session.js'

type NewKey = The<'ROTATE_KEY'> | The<'ADD_KEY'>
type Change = The<'CHANGE_PASSWORD'> | NewKey

export class AccountChanges {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #requests: RequestContext
  readonly #quota: ComputeQuota
  readonly #logIn: LogIn

  constructor(
    context: ProcessingContext,
    executor: Executor,
    requests: RequestContext,
    quota: ComputeQuota,
    logIn: LogIn,
  ) {
    this.#context = context
    this.#executor = executor
    this.#requests = requests
    this.#quota = quota
    this.#logIn = logIn
  }

  change(session: Session, user: string, message: Change): void {
    const { request, token } = message
    this.#requests.atTip(session, request, () => {
      const account = this.#executor.base.account(user)
      if (!account) return this.#requests.refuse(session, request, 'NOT_READY')
      if (sameBytes(account.changeToken, token)) return this.#changedBefore(session, user, message)
      if (message.type === 'CHANGE_PASSWORD') this.#changePassword(session, account, message)
      else this.#newKey(session, account, message)
    })
  }

  /**
   * The answer to the change was lost: a repeated request with the password that is valid now logs
   * in.
   */
  #changedBefore(session: Session, user: string, message: Change): void {
    const password = message.type === 'CHANGE_PASSWORD' ? message.newPassword : message.password
    this.#logIn.unlock(session, message.request, user, password)
  }

  #changePassword(session: Session, account: Account, message: The<'CHANGE_PASSWORD'>): void {
    const { request, password, newPassword } = message
    const unusable = whyUnusable(newPassword, this.#context.limits.minPasswordLength)
    if (unusable) return this.#requests.refuse(session, request, 'BAD_PASSWORD', unusable)
    const { name: user, secrets } = account
    const job = { kind: 'change-password', user, password, newPassword, secrets } as const
    this.#quota.run(session, request, job, (result) => {
      if (result.kind !== 'change-password') {
        const text = 'the password could not be changed'
        this.#requests.refuse(session, request, 'OVERLOADED', text)
      } else if (!result.secrets) {
        this.#requests.refuse(session, request, 'BAD_CREDENTIALS')
      } else {
        this.#submitChange(session, account, message, result.secrets, [])
      }
    })
  }

  /** A new key: made here, made by the client, or imported. */
  #newKey(session: Session, account: Account, message: NewKey): void {
    const { request, password } = message
    const keys = message.type === 'ROTATE_KEY' ? message.keys : null
    const { name: user, secrets } = account
    if (isClientHeld(secrets) !== (keys !== null)) {
      return this.#requests.refuse(session, request, 'BAD_KEYS')
    }
    if (secrets.older.length + 1 >= MAX_KEYS) {
      return this.#requests.refuse(session, request, 'TOO_MANY_KEYS')
    }
    const of = { user, password, secrets }
    const job: Job =
      message.type === 'ROTATE_KEY'
        ? { kind: 'rotate-key', ...of, bits: this.#context.limits.keyBits, keys }
        : { kind: 'add-key', ...of, wrappedKey: message.wrappedKey }
    this.#quota.run(session, request, job, (result) => {
      if (result.kind === 'bad-keys') {
        this.#requests.refuse(session, request, 'BAD_KEYS')
      } else if (result.kind !== 'rotate-key' && result.kind !== 'add-key') {
        this.#requests.refuse(session, request, 'OVERLOADED', 'no key could be made')
      } else if (result.rotated) {
        const { secrets: changed, privateKeys } = result.rotated
        this.#submitChange(session, account, message, changed, privateKeys)
      } else {
        const badKey = result.kind === 'add-key' ? result.badKey : null
        const why = badKey === null ? 'BAD_CREDENTIALS' : 'BAD_KEY'
        this.#requests.refuse(session, request, why, badKey ?? '')
      }
    })
  }

  /** `added`: private keys that this session has from now on. */
  #submitChange(
    session: Session,
    { name: user, version }: Account,
    message: Change,
    secrets: AccountSecrets,
    added: readonly Uint8Array[],
  ): void {
    const { request, token } = message
    const command = { kind: 'change-account', user, version, token, ...secrets } as const
    this.#requests.submit(session, request, command, ({ meta, body }) => {
      if (meta.kind === KIND.account) {
        // The version has not changed in between, so the session has all keys of the version
        // before.
        if (session.user === user) {
          session.privateKeys = [...added, ...session.privateKeys]
          session.version = version + 1
        }
        this.#requests.waiters.again(() => this.#logIn.sayAccount(session, request, user))
        return
      }
      const { code } = decodeNote(body)
      if (code === 0) this.#changedBefore(session, user, message)
      else this.#requests.refuseByCode(session, request, code)
    })
  }

  // ---- what the password alone opens ----------------------------------------------------------

  /**
   * The keys as they are stored. The request must prove the password; only its client can unwrap
   * them.
   */
  exportKeys(session: Session, user: string, message: The<'EXPORT_KEYS'>): void {
    const { request } = message
    this.#requests.lookUp(session, user, request, () => {
      const secrets = this.#executor.base.account(user)?.secrets
      if (!secrets) return this.#requests.refuse(session, request, 'NOT_READY')
      if (isClientHeld(secrets)) return this.#requests.refuse(session, request, 'NOT_HERE')
      this.#verify(session, message, { user, secrets }, () => {
        const { salt, cost, older } = secrets
        const keys = [secrets, ...older].map(({ publicKey, wrappedKey }) => {
          return { publicKey, wrappedKey }
        })
        this.#requests.reply(session, { type: 'WRAPPED_KEYS', request, salt, cost, keys })
      })
    })
  }

  /** A repeated DELETE_ACCOUNT is answered without a log-in: after the first, none is possible. */
  close(session: Session, message: The<'DELETE_ACCOUNT'>): void {
    const { request, name: user, token } = message
    this.#requests.atTip(session, request, () => {
      const { base } = this.#executor
      if (isClosedBy(base, message)) return this.#closed(session, message)
      const account = base.account(user)
      if (session.user !== user || !account) {
        return this.#requests.refuse(session, request, 'NOT_LOGGED_IN')
      }
      const { version, secrets } = account
      this.#verify(session, message, { user, secrets }, () => {
        const command = { kind: 'delete-account', user, version, token } as const
        this.#requests.submit(session, request, command, ({ meta, body }) => {
          const code = meta.kind === KIND.closed ? 0 : decodeNote(body).code
          if (code === 0) this.#closed(session, message)
          else this.#requests.refuseByCode(session, request, code)
        })
      })
    })
  }

  #closed(session: Session, { request, name }: The<'DELETE_ACCOUNT'>): void {
    if (session.user === name) this.#requests.logOut(session)
    this.#requests.reply(session, { type: 'ACCOUNT_DELETED', request })
  }

  #verify(
    session: Session,
    { request, password }: The<'EXPORT_KEYS' | 'DELETE_ACCOUNT'>,
    of: { readonly user: string; readonly secrets: AccountSecrets },
    then: () => void,
  ): void {
    this.#quota.run(session, request, { kind: 'unlock', ...of, password }, (result) => {
      if (result.kind !== 'unlock') {
        const text = 'the password could not be checked'
        return this.#requests.refuse(session, request, 'OVERLOADED', text)
      }
      if (!result.privateKeys) {
        return this.#requests.refuse(session, request, 'BAD_CREDENTIALS')
      }
      for (const key of result.privateKeys) key.fill(0)
      then()
    })
  }
}

function isClosedBy(directory: DirectoryView, { name, token }: The<'DELETE_ACCOUNT'>): boolean {
  const closing = directory.closing(name)
  return closing !== undefined && sameBytes(closing, token)
}
