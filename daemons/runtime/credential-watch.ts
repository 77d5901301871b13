// Takes up new certificates while the replica runs: on SIGHUP, and when one of the files changes.
// What does not fit together, or is not valid now, is refused with a line in the log, and what was
// in use stays in use.

import { watchFile, unwatchFile } from 'node:fs'
import { checkCredentials, outsideValidity, readCredentials } from './credentials.js'
import type { CredentialFiles, Credentials } from './credentials.js'
import type { Log } from './log.js'

/** Files are asked for their state: that sees renames, and mounts that no event comes from. */
const LOOK_EVERY_MS = 1_000

export interface CredentialWatchOptions {
  readonly files: CredentialFiles
  readonly uri: string
  readonly log: Log
  /** A pair that fits, other than the one in use. */
  readonly renewed: (credentials: Credentials) => void
  readonly lookEveryMs?: number
}

export class CredentialWatch {
  readonly #options: CredentialWatchOptions
  readonly #look = (): void => this.reload('a file has changed')
  #current: Credentials

  /** Throws where what is there at the start cannot be used. */
  constructor(options: CredentialWatchOptions) {
    const { files, uri, log, lookEveryMs = LOOK_EVERY_MS } = options
    this.#options = options
    this.#current = readCredentials(files)
    try {
      const certificate = checkCredentials(this.#current, uri)
      // A wrong clock of this machine must not keep the replica from starting: others will judge.
      const why = outsideValidity(certificate, Date.now())
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

  reload(cause: string): void {
    const { files, uri, log, renewed } = this.#options
    const file = files.certificate
    try {
      const credentials = readCredentials(files)
      if (Object.entries(this.#current).every(([k, v]) => credentials[k as 'key'] === v)) return
      const certificate = checkCredentials(credentials, uri)
      const why = outsideValidity(certificate, Date.now())
      if (why) throw new Error(why)
      this.#current = credentials
      renewed(credentials)
      log('info', 'certificates-reloaded', { file, reason: cause, until: certificate.validTo })
    } catch (error) {
      const reason = `${(error as Error).message}; the one before stays in use`
      log('warn', 'certificates-refused', { file, reason })
    }
  }

  stop(): void {
    for (const file of Object.values(this.#options.files)) unwatchFile(file, this.#look)
  }
}
