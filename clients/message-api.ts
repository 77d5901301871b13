// The methods of Client for messages, with their documentation. Client hands each call on to its
// Outbox or its Mailbox.

import type {
  EnvelopePage,
  ListenOptions,
  Page,
  PageOptions,
  Retention,
  RetentionRule,
  Usage,
} from './mailbox.js'
import type { OperationOptions, SendOptions } from './options.js'
import type { Receipt } from './outbox.js'
import type { ReceivedMessage } from './subscription.js'

/** The methods of {@link Client} for messages. */
export interface MessageApi {
  /**
   * Sends a message. The message is stored once: a resend after a lost connection has the same
   * stream and seq. Sends of one client are stored in the order of the calls. A send waits while
   * too many others are unanswered.
   *
   * @param to - The recipient.
   * @param text - At most 64 KiB of UTF-8.
   * @param options - `endToEnd`: rejects if the message would not be sealed and signed here.
   * @returns The receipt, once the message is on disk on a majority of the persistence replicas.
   * @throws TrocaError `NO_SUCH_USER`, `BLOCKED`, `MAILBOX_FULL`, `TOO_LONG`, `NOT_LOGGED_IN`,
   * `NOT_END_TO_END`, `UNTRUSTED_KEY` and others; `TIMEOUT` if no receipt came in time.
   * `definite` is true if the message is certainly not stored.
   * @example
   * ```ts
   * import { TrocaError } from 'troca'
   *
   * try {
   *   const { index, endToEnd } = await client.send('alice', 'olá', { timeoutMs: 5_000 })
   *   console.log(`stored at ${index}`, endToEnd ? 'end to end' : '')
   * } catch (error) {
   *   if (!(error instanceof TrocaError)) throw error
   *   console.log(error.definite ? 'not stored' : 'it may have been stored', error.hint)
   * }
   * ```
   */
  send(to: string, text: string, options?: SendOptions): Promise<Receipt>

  /**
   * Reads a page of the mailbox. The page has every message whose receipt came before the call.
   * Reading a page marks nothing as read; {@link Client.ack} does.
   *
   * @param options - `after`: a log index, 0 for the beginning; `limit`: messages, 200 by default;
   * `since`: only messages from this time on, which the service finds without reading the others.
   * @returns The messages, and the index after which the next page begins.
   * @throws TrocaError `NOT_LOGGED_IN`, or `TIMEOUT` if too few replicas are up.
   * @example
   * ```ts
   * let page = await client.inbox()
   * for (;;) {
   *   for (const { index, from, text } of page.messages) console.log(index, from, text)
   *   if (!page.more) break
   *   page = await client.inbox({ after: page.next })
   * }
   * ```
   */
  inbox(options?: PageOptions): Promise<Page>

  /**
   * Reads a page as {@link Client.inbox} does, but gives each message as it is stored. Any JOSE
   * library, and {@link openJwe}, opens it with the private key of this account. A message between
   * client-held accounts is signed: `openJwe` needs its sender's signing keys too.
   *
   * @param options - The options of {@link Client.inbox}.
   * @returns The sealed messages, and the index after which the next page begins.
   * @throws TrocaError As {@link Client.inbox}.
   * @example
   * ```ts
   * import { randomBytes } from 'node:crypto'
   * import { openJwe } from 'troca'
   *
   * const keys = await client.exportKeys('correct horse')
   * for (const { from, jwe } of (await client.envelopes()).messages) {
   *   const signers = (await client.contact(from)).keys.map(({ signing }) => signing)
   *   console.log(Buffer.from(openJwe(jwe, keys, randomBytes, signers).plaintext).toString())
   * }
   * ```
   */
  envelopes(options?: PageOptions): Promise<EnvelopePage>

  /**
   * Tells how much the mailbox holds, and how much it may hold.
   *
   * @returns Bytes of the stored messages and the quota, with every message that was acknowledged
   * before the call.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * const { bytes, quota } = await client.usage()
   * console.log(`${Math.round((100 * bytes) / quota)} % used`)
   * ```
   */
  usage(options?: OperationOptions): Promise<Usage>

  /**
   * Tells how long messages of the mailbox are kept.
   *
   * @returns What the user and the operator have set; the stricter bound counts.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * const { own, cluster } = await client.retention()
   * console.log(own.count || 'any number', cluster.age / 86_400_000, 'days')
   * ```
   */
  retention(options?: OperationOptions): Promise<Retention>

  /**
   * Sets how long messages of the mailbox are kept. Beyond a bound the oldest are erased for ever,
   * read or not. The operator's bounds hold beside these.
   *
   * @param rule - The bounds; 0 for one that is off.
   * @returns The retention from now on.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * await client.retain({ age: 30 * 86_400_000, count: 1_000, bytes: 0 })
   * ```
   */
  retain(rule: RetentionRule, options?: OperationOptions): Promise<Retention>

  /**
   * Deletes messages of the mailbox for ever. An index without a message is ignored.
   *
   * @param indices - Indices as {@link Client.inbox} gives them.
   * @returns Nothing, once every later read is without the messages.
   * @throws TrocaError `NOT_LOGGED_IN`.
   * @example
   * ```ts
   * const { messages } = await client.inbox({ limit: 10 })
   * await client.delete(messages.map(({ index }) => index))
   * ```
   */
  delete(indices: readonly number[], options?: OperationOptions): Promise<void>

  /**
   * Gives each message once, as it arrives; waiting messages come first. The service sends at most
   * `window` messages beyond the last acknowledged one, so acknowledge each. A client reads one
   * such sequence at a time. The sequence outlives connections, and ends when `signal` aborts or
   * the client closes.
   *
   * @param options - `after`: a log index, by default that of the last acknowledged message;
   * `window`: messages, 1 to 4096, 256 by default.
   * @returns The messages, in the order of the log.
   * @throws TrocaError `BAD_STATE` if the client already reads such a sequence, `BAD_REQUEST` for a
   * `window` out of range; otherwise the error
   * that ended the client.
   * @example
   * ```ts
   * for await (const message of client.messages()) {
   *   console.log(message.from, message.text)
   *   message.ack()
   * }
   * ```
   */
  messages(options?: ListenOptions): AsyncGenerator<ReceivedMessage, void, undefined>

  /**
   * Marks everything in the mailbox up to `index` as read: senders see it, and
   * {@link Client.messages} begins after it. The service does not answer; the client repeats the
   * mark on each new connection.
   *
   * @param index - Log index of the last message that is read.
   * @example
   * ```ts
   * const { messages } = await client.inbox()
   * const last = messages.at(-1)
   * if (last) client.ack(last.index)
   * ```
   */
  ack(index: number): void
}
