// Registration: a worker computes the keys and secrets of a new account, and a command submits
// them. Invariant: the answer depends on whether the name is taken only for a client that may
// register, and only after a password hashing that counts in the rate of registrations.

import { idOf, sameBytes, sha256 } from '../bytes.js'
import { KIND } from '../entries/entry.js'
import { decodeNote } from '../entries/note.js'
import type { ErrorName } from '../errors.js'
import type { The } from '../messages/catalogue.js'
import { whyUnusable } from '../password.js'
import type { ProcessingContext } from '../processing/context.js'
import { isUserName } from '../schema/shared.js'
import type { Executor } from '../state/executor.js'
import { isOpen } from '../state/invitation.js'
import type { ComputeQuota } from './compute-quota.js'
import type { LogIn } from './log-in.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'

export class Registration {
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

  register(session: Session, message: The<'REGISTER'>): void {
    const { request, name, password, token } = message
    if (!isUserName(name)) return this.#requests.refuse(session, request, 'BAD_NAME')
    this.#requests.atTip(session, request, () => {
      const { base } = this.#executor
      const existing = base.account(name)
      if (existing && sameBytes(existing.token, token)) {
        return this.#logIn.unlock(session, request, name, password)
      }
      const refused = this.#whyNotLetIn(message.invitation)
      if (refused) return this.#requests.refuse(session, request, refused)
      const unusable = whyUnusable(password, this.#context.limits.minPasswordLength)
      if (unusable) return this.#requests.refuse(session, request, 'BAD_PASSWORD', unusable)
      if (base.isTaken(name)) this.#refuseTaken(session, message)
      else this.#create(session, message)
    })
  }

  #refuseTaken(session: Session, { request, name: user, password }: The<'REGISTER'>): void {
    this.#quota.run(session, request, { kind: 'hash-password', user, password }, (result) => {
      if (result.kind === 'hash-password') this.#requests.refuse(session, request, 'NAME_TAKEN')
      else this.#refuseFailed(session, request)
    })
  }

  #refuseFailed(session: Session, request: number): void {
    this.#requests.refuse(session, request, 'OVERLOADED', 'no account could be made')
  }

  /** A registration that is sure to be refused is not computed; execution decides the others. */
  #whyNotLetIn(invitation: Uint8Array | null): ErrorName | null {
    const { registration } = this.#context
    const { base } = this.#executor
    if (registration === 'closed') return 'REGISTRATION_CLOSED'
    if (!invitation) {
      return registration === 'invitation' && !base.isEmpty ? 'INVITATION_NEEDED' : null
    }
    const known = base.invitation(idOf(sha256(invitation)))
    // The time of the order is not earlier than the newest in the log.
    const open = known && !known.used && isOpen(known, base.time)
    return open ? null : 'BAD_INVITATION'
  }

  #create(session: Session, message: The<'REGISTER'>): void {
    const { request, name, password, token, keys, invitation } = message
    const bits = this.#context.limits.keyBits
    const job = { kind: 'create-account', user: name, password, bits, keys } as const
    this.#quota.run(session, request, job, (result) => {
      if (result.kind === 'bad-keys') return this.#requests.refuse(session, request, 'BAD_KEYS')
      if (result.kind !== 'create-account') return this.#refuseFailed(session, request)
      const gate = {
        invitation: invitation && sha256(invitation),
        byInvitation: this.#context.registration === 'invitation',
      }
      const command = { kind: 'register', name, token, ...gate, ...result.secrets } as const
      this.#requests.submit(session, request, command, ({ meta, body }) => {
        if (meta.kind === KIND.account) {
          return this.#logIn.open(session, request, name, result.privateKeys, 1)
        }
        const { code } = decodeNote(body)
        if (code === 0) this.#logIn.unlock(session, request, name, password)
        else this.#requests.refuseByCode(session, request, code)
      })
    })
  }
}
