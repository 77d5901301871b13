// C8: no answer before its predecessors are committed. An answer that follows from an order uses up
// one committed command of that order, which the same boot of the answering replica asked for.

import { errorName } from '../../../protocol/errors.js'
import { KIND } from '../../../protocol/entries/entry.js'
import type { RetentionRule } from '../../../protocol/entries/retention.js'
import { sha256 } from '../../../protocol/bytes.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { History, Node } from '../history.js'
import { textOfSealed } from '../held.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'
import type { Command, Commands } from './commands.js'
import { hex } from './ledger.js'
import { isChange, type Requests } from './requests.js'

/**
 * Errors that follow from the order of the request itself. (A receipt may follow from an earlier
 * one.)
 */
const ORDERED = new Set([
  'CONFLICT',
  'OUT_OF_ORDER',
  'OLD_DUPLICATE',
  'NO_SUCH_STREAM',
  'STREAM_CLOSED',
  'ACCOUNT_CHANGED',
])

function sendKey(
  user: string,
  { stream, seq, to, text }: Omit<The<'SEND'>, 'type' | 'request'>,
): string {
  return `${user} sends ${hex(stream)}/${seq} ${to} ${text}`
}

const openKey = (user: string, token: Uint8Array): string => `${user} opens ${hex(token)}`

const closeKey = (user: string, stream: Uint8Array): string => `${user} closes ${hex(stream)}`

const changeKey = (user: string, token: Uint8Array): string => `${user} changes ${hex(token)}`

const deleteKey = (user: string, indices: readonly number[]): string =>
  `${user} deletes ${indices.join()}`

const retainKey = (user: string, { age, count, bytes }: RetentionRule): string =>
  `${user} keeps ${age} ${count} ${bytes}`

const inviteKey = (user: string, invitation: Uint8Array): string =>
  `${user} invites by ${hex(invitation)}`

const blockKey = (user: string, name: string, blocked: boolean): string =>
  `${user} ${blocked ? 'blocks' : 'unblocks'} ${name}`

function commandKey(command: Command): string {
  if (command.kind === 'send') return sendKey(command.user, command)
  if (command.kind === 'send-sealed') {
    return sendKey(command.user, { ...command, text: textOfSealed(command.sealed) })
  }
  if (command.kind === 'open-stream') return openKey(command.user, command.token)
  if (command.kind === 'close-stream') return closeKey(command.user, command.stream)
  if (command.kind === 'change-account') return changeKey(command.user, command.token)
  if (command.kind === 'delete') return deleteKey(command.user, command.indices)
  if (command.kind === 'register') return command.name
  if (command.kind === 'invite') return inviteKey(command.user, command.invitation)
  if (command.kind === 'retain') return retainKey(command.user, command)
  if (command.kind === 'expire') return `messages of ${command.user} expire`
  if (command.kind === 'block') return blockKey(command.user, command.name, command.blocked)
  if (command.kind === 'end-idle-streams') return 'ends idle streams'
  return `${command.user} leaves`
}

const bootOf = ({ slot, boot }: { readonly slot: number; readonly boot: string }): string =>
  `p${slot}/${boot}`

export class AnswerCheck implements Check {
  readonly #requests: Requests
  readonly #commands: Commands
  /**
   * Number of committed commands not yet answered, by the asking replica's boot and the request.
   */
  readonly #unused = new Map<string, number>()

  constructor(history: History, requests: Requests, commands: Commands) {
    this.#requests = requests
    this.#commands = commands
    history.onCommit((node) => this.#committed(node))
  }

  sent(from: Host, to: Host, message: Message): void {
    if (to.role !== 'client') return
    if (message.type === 'STREAM_OPENED') {
      const { asked, user } = this.#requests.of(to, message.request, 'OPEN_STREAM')
      this.#uses(from, to, openKey(user, asked.token))
    } else if (message.type === 'STREAM_CLOSED') {
      const { asked, user } = this.#requests.of(to, message.request, 'CLOSE_STREAM')
      this.#uses(from, to, closeKey(user, asked.stream))
    } else if (message.type === 'DELETED') {
      const { asked, user } = this.#requests.of(to, message.request, 'DELETE')
      this.#uses(from, to, deleteKey(user, asked.indices))
    } else if (message.type === 'RETENTION_IS') {
      const { asked, user } = this.#requests.any(to, message.request)
      if (asked.type === 'RETAIN') this.#uses(from, to, retainKey(user, asked))
    } else if (message.type === 'INVITED') {
      const { asked, user } = this.#requests.of(to, message.request, 'INVITE')
      this.#uses(from, to, inviteKey(user, sha256(asked.code)))
    } else if (message.type === 'BLOCKED_ARE') {
      const { asked, user } = this.#requests.any(to, message.request)
      if (asked.type === 'BLOCK') this.#uses(from, to, blockKey(user, asked.name, true))
      if (asked.type === 'UNBLOCK') this.#uses(from, to, blockKey(user, asked.name, false))
    } else if (message.type === 'ERROR' && ORDERED.has(errorName(message.code) ?? '')) {
      const { asked, user } = this.#requests.any(to, message.request)
      if (asked.type === 'SEND') this.#uses(from, to, sendKey(user, asked))
      if (asked.type === 'OPEN_STREAM') this.#uses(from, to, openKey(user, asked.token))
      if (asked.type === 'CLOSE_STREAM') this.#uses(from, to, closeKey(user, asked.stream))
      if (isChange(asked)) {
        this.#uses(from, to, changeKey(user, asked.token))
      }
    }
  }

  #committed({ entry, meta, fence }: Node): void {
    if (entry!.term === 0 || meta!.kind === KIND.term) return
    const command = this.#commands.of(entry!)
    // An ORDER that no other replica was sent is unknown here: its commands are those of the
    // coordinator's own clients.
    const key = command ? `${bootOf(command.origin)} ${commandKey(command)}` : bootOf(fence.owner!)
    this.#unused.set(key, (this.#unused.get(key) ?? 0) + 1)
  }

  #uses(from: Host, to: Host, what: string): void {
    const boot = bootOf(from)
    const key = [`${boot} ${what}`, boot].find((one) => (this.#unused.get(one) ?? 0) > 0)
    expect(key !== undefined, 'C8', () => {
      return `${from.name} answers ${to.name}, which ${what.slice(0, 80)}: no such order is committed`
    })
    this.#unused.set(key!, this.#unused.get(key!)! - 1)
  }
}
