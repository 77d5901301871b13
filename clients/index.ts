// What `import ... from 'troca'` gives.

export { Client, connect } from './client.js'
export type { Account, Key, NewKeyOptions } from './accounts.js'
export type { ClientEvents, ClusterStatus, EnvelopePage, Page } from './client.js'
export { openJwe } from '../protocol/envelope/jwe.js'
export type { OpenedJwe } from '../protocol/envelope/jwe.js'
export { TrocaError } from './errors.js'
export type { TrocaErrorName } from './errors.js'
export type { ConnectOptions, OperationOptions, ServerAddress } from './options.js'
export type { Receipt } from './outbox.js'
export type { InboxMessage, ReceivedMessage, SealedMessage } from './subscription.js'
