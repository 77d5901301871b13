// What an account has to do with others: invitations, and who it takes no messages from.

import { randomBytes } from 'node:crypto'
import type { Message, The } from '../protocol/messages/catalogue.js'
import { INVITATION_BYTES } from '../protocol/schema/shared.js'
import { refusedHere } from './errors.js'
import type { Operations } from './operations.js'
import type { OperationOptions } from './options.js'

export interface Invitation {
  /** For who is to register by it: 32 of 0-9 a-f. */
  readonly code: string
  /** When nobody can any more, ms since 1970. */
  readonly expires: number
}

/** Throws BAD_INVITATION where the text is no code. */
export function parseInvitation(code: string): Uint8Array {
  const digits = code.trim()
  const bytes = Buffer.from(digits, 'hex')
  if (bytes.length === INVITATION_BYTES && digits.length === 2 * bytes.length) return bytes
  throw refusedHere('BAD_INVITATION', `"${digits}" is no code of an invitation: 32 of 0-9 a-f`)
}

export class People {
  readonly #operations: Operations

  constructor(operations: Operations) {
    this.#operations = operations
  }

  /** Whoever has the code may register, once. The service keeps only a hash of it. */
  async invite(options: OperationOptions = {}): Promise<Invitation> {
    const code = randomBytes(INVITATION_BYTES)
    const build = (request: number): Message => ({ type: 'INVITE', request, code })
    const answer = await this.#operations.ask('inviting', build, options)
    return { code: code.toString('hex'), expires: (answer as The<'INVITED'>).expires }
  }

  /** Takes no more messages from this user; the block list as it is then. */
  block(name: string, options: OperationOptions = {}): Promise<readonly string[]> {
    return this.#list(`blocking ${name}`, (request) => ({ type: 'BLOCK', request, name }), options)
  }

  unblock(name: string, options: OperationOptions = {}): Promise<readonly string[]> {
    const build = (request: number): Message => ({ type: 'UNBLOCK', request, name })
    return this.#list(`unblocking ${name}`, build, options)
  }

  /** From whom no messages are taken. */
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
