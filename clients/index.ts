// What `import ... from 'troca'` gives.

export { Client, connect } from './client.js'
export type { Account, NewKeyOptions } from './accounts.js'
export type { ClientEvents, ClusterStatus, Page } from './client.js'
export { KeyFolder } from './e2e/key-store.js'
export type { KeyStore } from './e2e/key-store.js'
export type { Contact, KeyNotice } from './e2e/known-keys.js'
export { TrocaError } from './errors.js'
export type { TrocaErrorName } from './errors.js'
export type { Key, RegisterOptions } from './identity.js'
export type { ConnectOptions, OperationOptions, ServerAddress } from './options.js'
export type { Receipt } from './outbox.js'
export type { InboxMessage, ReceivedMessage } from './subscription.js'
