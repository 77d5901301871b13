// Looks at the cluster file while the replica runs, once a second. Where the other replicas are,
// which generation each is, and levels of logs are taken up at once; reload.ts has what waits for
// SIGHUP or a restart.

import { unwatchFile, watchFile } from 'node:fs'
import { readConfig, type ClusterConfig } from './config.js'
import type { Log } from '../log/log.js'

const LOOK_EVERY_MS = 1_000

export class ConfigWatch {
  readonly #file: string
  readonly #log: Log
  /** Takes the new configuration up; gives the names of replicas that changed. */
  readonly #changed: (config: ClusterConfig) => readonly string[]
  readonly #take = (): void => void this.look()

  constructor(file: string, log: Log, changed: (config: ClusterConfig) => readonly string[]) {
    this.#file = file
    this.#log = log
    this.#changed = changed
    watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, this.#take)
  }

  /** The configuration of the file; null: it has a problem, and all settings stay. */
  look(): ClusterConfig | null {
    try {
      const config = readConfig(this.#file)
      const names = this.#changed(config)
      if (names.length > 0) this.#log('info', 'replicas-changed', { peer: names.join(' ') })
      return config
    } catch (error) {
      const reason = `${(error as Error).message}; the settings in use stay`
      this.#log('error', 'config-refused', { file: this.#file, reason })
      return null
    }
  }

  stop(): void {
    unwatchFile(this.#file, this.#take)
  }
}
