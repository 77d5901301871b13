// What `import ... from 'troca'` gives.

export { Client, connect } from './client.js'
export type { Account, Key, NewKeyOptions } from './accounts.js'
export type { ClientEvents, ClusterStatus, Page } from './client.js'
export { TrocaError } from './errors.js'
export type { TrocaErrorName } from './errors.js'
export type { ConnectOptions, OperationOptions, ServerAddress } from './options.js'
export type { Receipt } from './outbox.js'
export type { InboxMessage, ReceivedMessage } from './subscription.js'
