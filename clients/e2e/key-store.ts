// Where a client keeps what the service must never have, or must not be the only one to say: the
// file with its private keys, and the keys of others as they were seen. Both are texts to the store.

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

/** What a text becomes; null: there is none, or none any more. */
export type Change = (text: string | null) => string | null

/**
 * Where a client keeps its private keys and the known keys of others; {@link KeyFolder} is one.
 *
 * @example
 * ```ts
 * import type { KeyStore } from 'troca'
 *
 * // For tests: whatever is in it ends with the process.
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
  /** The key file of a user, encrypted; null: there is none here. */
  readKeys(user: string): Promise<string | null>
  /**
   * With nobody else's change in between: a key that another process has just added is not lost.
   */
  changeKeys(user: string, change: Change): Promise<void>
  /** The known keys of others; null: none yet. */
  readKnown(): Promise<string | null>
  /** With nobody else's change in between. */
  changeKnown(change: Change): Promise<void>
}

/** A change takes some milliseconds: whoever has kept others out for so long has died in it. */
const LOCK_STALE_MS = 10_000
const LOCK_POLL_MS = 20

/**
 * A {@link KeyStore} in a folder: `keys/USER.json` and `known-keys.json`, for their owner alone.
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

  /** @param folder - Made when something is kept. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Where the key file of a user is: to be copied to another machine, and kept safe.
   *
   * @param user - The user.
   * @returns The path; the file need not be there.
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

  /** Where the known keys of others are. */
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

/** Whoever reads it sees the old text or the new one, whole; and so does a crash. */
function replace(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text, { mode: 0o600, flush: true })
  renameSync(temporary, path)
  // Without this the name may still lead to the old file after a crash.
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
