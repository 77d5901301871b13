// Where a client keeps what the service must never have, or must not be the only one to say: the
// file with its private keys, and the keys of others as they were seen. Both are texts to the store.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface KeyStore {
  /** The key file of a user, encrypted; null: there is none here. */
  readKeys(user: string): Promise<string | null>
  /** null: removes it. */
  writeKeys(user: string, text: string | null): Promise<void>
  /** The known keys of others; null: none yet. */
  readKnown(): Promise<string | null>
  writeKnown(text: string): Promise<void>
}

/** In a folder: keys/USER.json and known-keys.json, for their owner alone. */
export class KeyFolder implements KeyStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Where the key file of a user is: to be copied to another machine, and kept safe. */
  pathOf(user: string): string {
    return join(this.#folder, 'keys', `${user}.json`)
  }

  get knownPath(): string {
    return join(this.#folder, 'known-keys.json')
  }

  readKeys(user: string): Promise<string | null> {
    return Promise.resolve(readIfThere(this.pathOf(user)))
  }

  writeKeys(user: string, text: string | null): Promise<void> {
    if (text === null) rmSync(this.pathOf(user), { force: true })
    else replace(this.pathOf(user), text)
    return Promise.resolve()
  }

  readKnown(): Promise<string | null> {
    return Promise.resolve(readIfThere(this.knownPath))
  }

  writeKnown(text: string): Promise<void> {
    replace(this.knownPath, text)
    return Promise.resolve()
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

/** Whoever reads it sees the old text or the new one, whole; and so does a crash. */
function replace(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text, { mode: 0o600, flush: true })
  renameSync(temporary, path)
}
