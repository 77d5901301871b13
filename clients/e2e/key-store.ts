// The store of a client: key files with private keys, which the service must never have, and the
// known keys of contacts, on which the service must not be the only authority. To the store both
// are texts.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Makes the new text from the old one; null: there is no text. */
export type Change = (text: string | null) => string | null

/**
 * A store for private keys and the known keys of contacts; {@link KeyFolder} is one.
 *
 * @example
 * ```ts
 * import type { KeyStore } from 'troca'
 *
 * // For tests: the keys are lost when the process ends.
 * export function inMemory(): KeyStore {
 *   const keys = new Map<string, string | null>()
 *   let known: string | null = null
 *   return {
 *     readKeys: async (user) => keys.get(user) ?? null,
 *     changeKeys: async (user, change) => void keys.set(user, change(keys.get(user) ?? null)),
 *     readKnown: async () => known,
 *     changeKnown: async (change) => void (known = change(known)),
 *   }
 * }
 * ```
 */
export interface KeyStore {
  /** The encrypted key file of a user; null: there is none. */
  readKeys(user: string): Promise<string | null>
  /**
   * Changes a key file atomically: no other process changes it between read and write, so no key is
   * lost.
   */
  changeKeys(user: string, change: Change): Promise<void>
  /** The known keys of contacts; null: none yet. */
  readKnown(): Promise<string | null>
  /** Changes the known keys atomically. */
  changeKnown(change: Change): Promise<void>
}

/** A lock this old is left by a dead process, because a change takes milliseconds. */
const LOCK_STALE_MS = 10_000
const LOCK_POLL_MS = 20

/**
 * A {@link KeyStore} in a folder: `keys/USER.json` and `known-keys.json`, with mode 0600.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { KeyFolder, connect } from 'troca'
 *
 * const client = await connect({
 *   servers: ['127.0.0.1:7401'],
 *   ca: readFileSync('.troca/ca.pem'),
 *   keyStore: new KeyFolder('.troca'),
 * })
 * await client.register('alice', 'correct horse', { endToEnd: true })
 * ```
 */
export class KeyFolder implements KeyStore {
  readonly #folder: string

  /** @param folder - Path of the folder; the first change creates it. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The path of a user's key file. Keep a copy of the file; another machine needs a copy, too.
   *
   * @param user - The user.
   * @returns The path, whether or not the file exists.
   * @example
   * ```ts
   * import { KeyFolder } from 'troca'
   *
   * console.log(new KeyFolder('.troca').pathOf('alice')) // .troca/keys/alice.json
   * ```
   */
  pathOf(user: string): string {
    return join(this.#folder, 'keys', `${user}.json`)
  }

  /** The path of the known keys of contacts. */
  get knownPath(): string {
    return join(this.#folder, 'known-keys.json')
  }

  readKeys(user: string): Promise<string | null> {
    return Promise.resolve(readIfThere(this.pathOf(user)))
  }

  changeKeys(user: string, change: Change): Promise<void> {
    return changeFile(this.pathOf(user), change)
  }

  readKnown(): Promise<string | null> {
    return Promise.resolve(readIfThere(this.knownPath))
  }

  changeKnown(change: Change): Promise<void> {
    return changeFile(this.knownPath, change)
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function changeFile(path: string, change: Change): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = `${path}.lock`
  while (!taken(lock)) await setTimeout(LOCK_POLL_MS)
  try {
    const text = change(readIfThere(path))
    if (text === null) rmSync(path, { force: true })
    else replace(path, text)
  } finally {
    rmSync(lock, { force: true })
  }
}

function taken(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
  if (Date.now() - since > LOCK_STALE_MS) rmSync(lock, { force: true })
  return false
}

/** Readers, also after a crash, see the whole old text or the whole new one. */
function replace(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text, { mode: 0o600, flush: true })
  renameSync(temporary, path)
  // Makes the rename durable: without fsync a crash may bring the old file back.
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
