// The methods of Client for accounts and keys, with their documentation. Client hands each call on
// to its Identity.

import type { RsaPrivateKey } from '../protocol/rsa/keys.js'
import type { Account, NewKeyOptions } from './accounts.js'
import type { Contact } from './e2e/known-keys.js'
import type { Key, RegisterOptions } from './identity.js'
import type { OperationOptions } from './options.js'

/** The methods of {@link Client} for accounts and keys. */
export interface AccountApi {
  /**
   * Makes an account and logs in. A call that is repeated after a lost answer makes no second
   * account.
   *
   * @param name - 1 to 32 of `a-z 0-9 . _ -`; the first is a letter.
   * @param password - Protects the private key, wherever it is kept: 8 characters at least, unless
   * the cluster asks for another number, without control characters.
   * @param options - Whether the service or this client holds the keys, and an invitation if the
   * cluster needs one.
   * @returns The new account.
   * @throws TrocaError `NAME_TAKEN`, `BAD_NAME`, `BAD_PASSWORD`, `REGISTRATION_CLOSED`,
   * `INVITATION_NEEDED`, `BAD_INVITATION` or `TOO_MANY_REGISTRATIONS`.
   * @example
   * ```ts
   * const account = await client.register('alice', 'correct horse')
   * console.log(`${account.name}, fingerprint ${account.fingerprint}`)
   * ```
   */
  register(name: string, password: string, options?: RegisterOptions): Promise<Account>

  /**
   * Logs in: from then on the client sends and reads as this account.
   *
   * @param name - The account.
   * @param password - Its password.
   * @returns The account.
   * @throws TrocaError `BAD_CREDENTIALS`; `TOO_MANY_ATTEMPTS` with `retryAfterMs`; `NO_KEYS` if
   * the `keyStore` lacks the key file of a client-held account.
   * @example
   * ```ts
   * const { name, cursor } = await client.login('alice', 'correct horse')
   * console.log(`${name} has read everything up to ${cursor}`)
   * ```
   */
  login(name: string, password: string, options?: OperationOptions): Promise<Account>

  /**
   * Changes the password and ends all other sessions of the account.
   *
   * @param password - The present password.
   * @param newPassword - The password from then on; this client logs in again with it.
   * @returns The account.
   * @throws TrocaError `NOT_LOGGED_IN`, `BAD_CREDENTIALS`, `BAD_PASSWORD`, or `ACCOUNT_CHANGED` if
   * another change of the account came first.
   * @example
   * ```ts
   * await client.changePassword('correct horse', 'battery staple')
   * ```
   */
  changePassword(
    password: string,
    newPassword: string,
    options?: OperationOptions,
  ): Promise<Account>

  /**
   * Makes a new key. Messages from then on are sealed for it; the old keys still open what was sent
   * before. Other sessions of the account end, and clients of this library log in again.
   *
   * @param password - The password of the account.
   * @param options - `onProgress` gets the progress of the search for primes, which takes seconds.
   * @returns The account, with the fingerprint of the new key.
   * @throws TrocaError `NOT_LOGGED_IN`, `BAD_CREDENTIALS` or `TOO_MANY_KEYS`.
   * @example
   * ```ts
   * const { fingerprint } = await client.rotateKey('correct horse', { onProgress: console.log })
   * console.log(`the new key is ${fingerprint}`)
   * ```
   */
  rotateKey(password: string, options?: NewKeyOptions): Promise<Account>

  /**
   * Gives the private keys that open the messages of this account. The keys come
   * wrapped, from the service or from the key file of a client-held account, and this client unwraps
   * them. `troca/rsa` writes keys as PEM.
   *
   * @param password - The password of the account.
   * @returns The private keys, the newest first.
   * @throws TrocaError `NOT_LOGGED_IN` or `BAD_CREDENTIALS`.
   * @example
   * ```ts
   * import { privateKeyToPem } from 'troca/rsa'
   *
   * const [newest] = await client.exportKeys('correct horse')
   * if (newest) console.log(privateKeyToPem(newest))
   * ```
   */
  exportKeys(password: string, options?: OperationOptions): Promise<RsaPrivateKey[]>

  /**
   * Adds a key that was made elsewhere: messages from then on are sealed for it, as after
   * {@link Client.rotateKey}. A client-held account makes its own keys and accepts no others.
   *
   * @param key - The private key; `troca/rsa` reads it from PEM or a JWK.
   * @param password - The password of the account.
   * @returns The account, with the fingerprint of the added key.
   * @throws TrocaError `NOT_LOGGED_IN`, `BAD_CREDENTIALS`, `BAD_KEY`, `BAD_KEYS` or
   * `TOO_MANY_KEYS`.
   * @example
   * ```ts
   * import { randomBytes } from 'node:crypto'
   * import { readFileSync } from 'node:fs'
   * import { privateKeyFromPem } from 'troca/rsa'
   *
   * const key = privateKeyFromPem(readFileSync('own.pem', 'utf8'), randomBytes)
   * await client.importKey(key, 'correct horse')
   * ```
   */
  importKey(key: RsaPrivateKey, password: string, options?: NewKeyOptions): Promise<Account>

  /**
   * Deletes the account for ever: its sessions end, its mailbox is erased, and its name stays
   * taken. The client stays usable and can log in as another account.
   *
   * @param password - The password of the account.
   * @returns Nothing, once the deletion is stored.
   * @throws TrocaError `NOT_LOGGED_IN` or `BAD_CREDENTIALS`.
   * @example
   * ```ts
   * await client.deleteAccount('correct horse')
   * console.log(client.user) // null
   * ```
   */
  deleteAccount(password: string, options?: OperationOptions): Promise<void>

  /**
   * Asks for the public keys of an account as the service names them. {@link Client.contact}
   * compares them with the known ones.
   *
   * @param name - The account.
   * @returns The keys, the newest first; messages are sealed for the newest.
   * @throws TrocaError `NO_SUCH_USER`, or `UNTRUSTED_KEY` if the keys do not vouch for each
   * other.
   * @example
   * ```ts
   * for (const { fingerprint, bits, held } of await client.keys('alice')) {
   *   console.log(`${fingerprint} (${bits} bits, held by the ${held})`)
   * }
   * ```
   */
  keys(name: string, options?: OperationOptions): Promise<readonly Key[]>

  /**
   * Compares the keys of an account with the known ones (trust on first use). Each send from a
   * client-held account does this by itself.
   *
   * @param name - The account.
   * @returns The contact, whose keys can be trusted.
   * @throws TrocaError `UNTRUSTED_KEY` if the keys are not the known ones; `NO_KEYS` without a
   * `keyStore`.
   * @example
   * ```ts
   * const { fingerprint, held } = await client.contact('alice')
   * console.log(held === 'client' ? `end to end: ${fingerprint}` : 'the service can read it')
   * ```
   */
  contact(name: string): Promise<Contact>

  /**
   * Trusts the present keys of an account instead of the known ones. Compare fingerprints with the
   * owner first, by another way.
   *
   * @param name - The account.
   * @param fingerprint - The fingerprint that was compared; another one is refused. Without it any
   * is trusted.
   * @returns The contact with the keys that are known from then on.
   * @throws TrocaError `UNTRUSTED_KEY` if the fingerprint is another one; `NO_KEYS` without a
   * `keyStore`.
   * @example
   * ```ts
   * await client.trust('alice', 'bMf3QeCF0GQd5j0SKTYEyPJfAWp5TM3vQBiyZU8nB1I')
   * ```
   */
  trust(name: string, fingerprint?: string): Promise<Contact>
}
