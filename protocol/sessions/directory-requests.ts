// Requests about users: published keys, invitations, block lists.

import type { The } from '../messages/catalogue.js'
import { KIND } from '../entries/entry.js'
import { sha256 } from '../bytes.js'
import { decodeNote } from '../entries/note.js'
import { decodeInvitation } from '../state/invitation.js'
import type { Executor } from '../state/executor.js'
import type { Limits } from '../machine/config.js'
import type { RequestContext } from './request-context.js'
import type { Session } from './session.js'
import { isUserName } from '../schema/shared.js'

export class DirectoryRequests {
  readonly #limits: Limits
  readonly #executor: Executor
  readonly #requests: RequestContext

  constructor(limits: Limits, executor: Executor, requests: RequestContext) {
    this.#limits = limits
    this.#executor = executor
    this.#requests = requests
  }

  keys(session: Session, { request, name }: The<'KEYS'>): void {
    this.#requests.atTip(session, request, () => {
      const account = this.#executor.base.account(name)
      if (!account) return this.#requests.refuse(session, request, 'NO_SUCH_USER')
      const { secrets } = account
      const published = [secrets, ...secrets.older]
      const keys = this.#executor.keysOf(account).map(({ kid: fingerprint, bits }, i) => {
        const { publicKey, signing } = published[i]!
        return { fingerprint, bits, publicKey, signing }
      })
      this.#requests.reply(session, { type: 'KEYS_ARE', request, keys })
    })
  }

  invite(session: Session, user: string, { request, code }: The<'INVITE'>): void {
    const { invitations: most, invitationMs: lasts } = this.#limits
    const command = { kind: 'invite', user, invitation: sha256(code), lasts, most } as const
    this.#requests.submit(session, request, command, ({ meta, body }) => {
      const made = meta.kind === KIND.invitation
      const { code: why, value } = made ? { code: 0, value: 0 } : decodeNote(body)
      if (why !== 0) return this.#requests.refuseByCode(session, request, why)
      // An invitation that was open already: the note holds its expiry.
      const expires = made ? decodeInvitation(body).expires : value
      this.#requests.reply(session, { type: 'INVITED', request, expires })
    })
  }

  block(session: Session, user: string, message: The<'BLOCK' | 'UNBLOCK'>): void {
    const { request, name } = message
    if (!isUserName(name)) return this.#requests.refuse(session, request, 'BAD_NAME')
    const command = { kind: 'block', user, name, blocked: message.type === 'BLOCK' } as const
    this.#requests.submit(session, request, command, ({ meta, body }) => {
      const code = meta.kind === KIND.block ? 0 : decodeNote(body).code
      if (code !== 0) return this.#requests.refuseByCode(session, request, code)
      this.#sayBlocked(session, user, request)
    })
  }

  blocked(session: Session, user: string, { request }: The<'BLOCKED'>): void {
    this.#requests.lookUp(session, user, request, () => this.#sayBlocked(session, user, request))
  }

  #sayBlocked(session: Session, user: string, request: number): void {
    const names = [...this.#executor.base.blocked(user)].sort()
    this.#requests.reply(session, { type: 'BLOCKED_ARE', request, names })
  }
}
