/**
 * The client library: accounts, sends and mailboxes of a cluster. In the examples of methods,
 * `client` is the result of {@link connect}.
 *
 * @module troca
 */

export { Client, connect } from './client.js'
export { openJwe } from '../protocol/envelope/jwe.js'
export type { OpenedJwe } from '../protocol/envelope/jwe.js'
export type { CheckedKey } from '../protocol/envelope/held-keys.js'
export type { ErrorName } from '../protocol/errors.js'
export type { AccountApi } from './account-api.js'
export type { Account, InvitedOptions, NewKeyOptions } from './accounts.js'
export type { ClientEvents } from './client-events.js'
export type { ClusterStatus, ReplicaStatus } from './cluster-status.js'
export { KeyFolder } from './e2e/key-store.js'
export type { Change, KeyStore } from './e2e/key-store.js'
export type { Contact, Held, KeyNotice } from './e2e/known-keys.js'
export { TrocaError } from './errors.js'
export type { ClientErrorName, TrocaErrorName } from './errors.js'
export type { Key, RegisterOptions } from './identity.js'
export type { EnvelopePage, ListenOptions, Page, PageOf, PageOptions } from './mailbox.js'
export type { Retention, RetentionRule, Usage } from './mailbox.js'
export type { MessageApi } from './message-api.js'
export type {
  Authority,
  ConnectOptions,
  OperationOptions,
  SendOptions,
  ServerAddress,
} from './options.js'
export type { Directory, Invitation } from './directory.js'
export type { Receipt, SentPlace } from './outbox.js'
export type { ListOptions, ReceiptEvent, Receipts, SentMessage } from './receipts.js'
export type { ReceivedMessage, SealedMessage } from './subscription.js'
export type { InboxMessage } from './inbox-message.js'
