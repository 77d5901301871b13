// Looks at the cluster file while the replica runs, once a second and at SIGHUP. Only where the other
// replicas are, which generation each is, and levels of logs are taken up; all else needs a restart.

import { unwatchFile, watchFile } from 'node:fs'
import { readConfig, type ClusterConfig } from './config.js'
import type { Log } from '../log/log.js'

const LOOK_EVERY_MS = 1_000

export class ConfigWatch {
  readonly #file: string
  readonly #log: Log
  /** Takes the new configuration up; gives the names of replicas that changed. */
  readonly #changed: (config: ClusterConfig) => readonly string[]
  readonly #take = (): void => this.look()

  constructor(file: string, log: Log, changed: (config: ClusterConfig) => readonly string[]) {
    this.#file = file
    this.#log = log
    this.#changed = changed
    watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, this.#take)
  }

  look(): void {
    try {
      const names = this.#changed(readConfig(this.#file))
      if (names.length > 0) this.#log('info', 'replicas-changed', { peer: names.join(' ') })
    } catch (error) {
      this.#log('warn', 'configuration-refused', { reason: (error as Error).message })
    }
  }

  stop(): void {
    unwatchFile(this.#file, this.#take)
  }
}
