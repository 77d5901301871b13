// Reloads certificates while the replica runs: on SIGHUP, and when one of the files changes. Files
// that do not fit together or are not valid now are refused with a log line; the credentials in use
// stay.

import { watchFile, unwatchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { checkCredentials, outsideValidity, readCredentials } from './credentials.js'
import type { Chain, CredentialFiles, Credentials } from './credentials.js'
import type { Log } from '../log/log.js'

/** Polling interval. Polling sees renames, and changes on mounts that send no events. */
const LOOK_EVERY_MS = 1_000

export interface CredentialWatchOptions {
  readonly files: CredentialFiles
  readonly uri: string
  readonly log: Log
  /** Called with checked credentials that differ from those in use. */
  readonly renewed: (credentials: Credentials) => void
  readonly lookEveryMs?: number
}

export class CredentialWatch {
  readonly #options: CredentialWatchOptions
  readonly #look = (): void => this.#take('a file has changed')
  /** Last fault logged: one change touches several files, and its fault is logged once. */
  #fault = ''
  #current: Credentials
  #chain: Chain

  /** Throws if the credentials cannot be used at the start. */
  constructor(options: CredentialWatchOptions) {
    const { files, uri, log, lookEveryMs = LOOK_EVERY_MS } = options
    this.#options = options
    this.#current = readCredentials(files)
    try {
      this.#chain = checkCredentials(this.#current, uri)
      // This machine's clock may be wrong, so the replica starts; its peers check the dates
      // themselves.
      const why = outsideValidity(this.#chain, Date.now())
      if (why) log('error', 'certificate-not-valid', { file: files.certificate, reason: why })
    } catch (error) {
      const why = (error as Error).message
      const next = 'put the right files there: troca init --renew'
      throw new Error(`${files.certificate}: ${why}; ${next}`, { cause: error })
    }
    const often = { interval: lookEveryMs, persistent: false }
    for (const file of Object.values(files)) watchFile(file, often, this.#look)
  }

  get current(): Credentials {
    return this.#current
  }

  get expiry(): { readonly own: Date; readonly authority: Date } {
    const { own, authority } = this.#chain
    return { own: new Date(own.validTo), authority: new Date(authority.validTo) }
  }

  /** Reloads on request; a fault that was logged before is logged again. */
  reload(): void {
    this.#fault = ''
    this.#take('asked for by SIGHUP')
  }

  #take(cause: string): void {
    const { files, uri, log, renewed } = this.#options
    const file = files.certificate
    try {
      const credentials = readCredentials(files)
      if (isDeepStrictEqual(credentials, this.#current)) {
        this.#fault = ''
        return
      }
      const chain = checkCredentials(credentials, uri)
      const why = outsideValidity(chain, Date.now())
      if (why) throw new Error(why)
      this.#current = credentials
      this.#chain = chain
      this.#fault = ''
      renewed(credentials)
      log('info', 'certificates-reloaded', { file, reason: cause, until: chain.own.validTo })
    } catch (error) {
      const reason = `${(error as Error).message}; the one before stays in use`
      if (reason === this.#fault) return
      this.#fault = reason
      log('warn', 'certificates-refused', { file, reason })
    }
  }

  stop(): void {
    for (const file of Object.values(this.#options.files)) unwatchFile(file, this.#look)
  }
}
