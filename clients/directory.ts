// What an account has to do with others: invitations, and who it takes no messages from.

import { randomBytes } from 'node:crypto'
import type { Message, The } from '../protocol/messages/catalogue.js'
import { INVITATION_BYTES } from '../protocol/schema/shared.js'
import { refusedHere } from './errors.js'
import type { Operations } from './operations.js'
import type { OperationOptions } from './options.js'

/** A right to register, once. */
export interface Invitation {
  /** 32 of 0-9 a-f, for the new user: the `invitation` of {@link RegisterOptions}. */
  readonly code: string
  /** When the invitation ends, ms since 1970. */
  readonly expires: number
}

/** Throws BAD_INVITATION where the text is no code. */
export function parseInvitation(code: string): Uint8Array {
  const digits = code.trim()
  const bytes = Buffer.from(digits, 'hex')
  if (bytes.length === INVITATION_BYTES && digits.length === 2 * bytes.length) return bytes
  throw refusedHere('BAD_INVITATION', `"${digits}" is no code of an invitation: 32 of 0-9 a-f`)
}

/** Invitations and the block list of an account: {@link Client.directory}. */
export class Directory {
  readonly #operations: Operations

  /** @internal */
  constructor(operations: Operations) {
    this.#operations = operations
  }

  /**
   * Makes an invitation, by which somebody may register, once. The service keeps only a hash of its
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
   * Takes no more messages from a user.
   *
   * @param name - The user.
   * @returns The block list as it is then.
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
   * Takes messages from a user again.
   *
   * @param name - The user; one that is not blocked is passed over.
   * @returns The block list as it is then.
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
   * @returns The users from whom no messages are taken.
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
