// The directory as an account uses it: invitations for new users, and the account's block list.

import { randomBytes } from 'node:crypto'
import type { Message, The } from '../protocol/messages/catalogue.js'
import { INVITATION_BYTES } from '../protocol/schema/shared.js'
import { refusedHere } from './errors.js'
import type { Operations } from './operations.js'
import type { OperationOptions } from './options.js'

/** The right to register one account. */
export interface Invitation {
  /** 32 hexadecimal digits for the new user: the `invitation` of {@link RegisterOptions}. */
  readonly code: string
  /** When the invitation expires, ms since 1970. */
  readonly expires: number
}

/** Throws BAD_INVITATION if the text is not a code. */
export function parseInvitation(code: string): Uint8Array {
  const digits = code.trim()
  const bytes = Buffer.from(digits, 'hex')
  if (bytes.length === INVITATION_BYTES && digits.length === 2 * bytes.length) return bytes
  throw refusedHere('BAD_INVITATION', `"${digits}" is no invitation code: 32 of 0-9 a-f`)
}

/** Invitations and the block list of an account: {@link Client.directory}. */
export class Directory {
  readonly #operations: Operations

  /** @internal */
  constructor(operations: Operations) {
    this.#operations = operations
  }

  /**
   * Makes an invitation, with which one user can register. The service stores only a hash of its
   * code.
   *
   * @returns The invitation.
   * @throws TrocaError `NOT_LOGGED_IN` or `TOO_MANY_INVITATIONS`.
   * @example
   * ```ts
   * const { code, expires } = await client.directory.invite()
   * console.log(`troca register NAME --invitation ${code}, by ${new Date(expires).toUTCString()}`)
   * ```
   */
  async invite(options: OperationOptions = {}): Promise<Invitation> {
    const code = randomBytes(INVITATION_BYTES)
    const build = (request: number): Message => ({ type: 'INVITE', request, code })
    const answer = await this.#operations.ask('inviting', build, options)
    return { code: code.toString('hex'), expires: (answer as The<'INVITED'>).expires }
  }

  /**
   * Blocks a user: the service refuses the user's messages to this account from then on.
   *
   * @param name - The user.
   * @returns The new block list.
   * @throws TrocaError `NO_SUCH_USER` or `TOO_MANY_BLOCKED`.
   * @example
   * ```ts
   * console.log(await client.directory.block('mallory')) // [ 'mallory' ]
   * ```
   */
  block(name: string, options: OperationOptions = {}): Promise<readonly string[]> {
    return this.#list(`blocking ${name}`, (request) => ({ type: 'BLOCK', request, name }), options)
  }

  /**
   * Unblocks a user.
   *
   * @param name - The user; one that is not blocked is ignored.
   * @returns The new block list.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * await client.directory.unblock('mallory')
   * ```
   */
  unblock(name: string, options: OperationOptions = {}): Promise<readonly string[]> {
    const build = (request: number): Message => ({ type: 'UNBLOCK', request, name })
    return this.#list(`unblocking ${name}`, build, options)
  }

  /**
   * Asks for the block list.
   *
   * @returns The blocked users.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * if ((await client.directory.blocked()).includes('mallory')) console.log('blocked')
   * ```
   */
  blocked(options: OperationOptions = {}): Promise<readonly string[]> {
    const build = (request: number): Message => ({ type: 'BLOCKED', request })
    return this.#list('asking for the block list', build, options)
  }

  async #list(
    what: string,
    build: (request: number) => Message,
    options: OperationOptions,
  ): Promise<readonly string[]> {
    return ((await this.#operations.ask(what, build, options)) as The<'BLOCKED_ARE'>).names
  }
}
