// A campaign as a command: parses its numbers, gives it a folder, and ends all processes it
// started.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import type { Owner } from './cluster.js'

/** A command that reports wrong usage on stderr with its usage text, and exits with 2. */
export class Command {
  readonly #name: string
  readonly #usage: string

  constructor(name: string, usage: string) {
    this.#name = name
    this.#usage = usage
  }

  help(): never {
    process.stdout.write(`${this.#usage}\n`)
    process.exit(0)
  }

  wrong(what: string): never {
    process.stderr.write(`${this.#name}: ${what}\n${this.#usage}\n`)
    process.exit(2)
  }

  /** Parses the arguments; wrong ones end the process. */
  parse<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
    try {
      return parseArgs(config)
    } catch (error) {
      return this.wrong((error as Error).message)
    }
  }

  positive(option: string, text: string): number {
    const value = Number(text)
    if (Number.isFinite(value) && value > 0) return value
    return this.wrong(`--${option} ${text}: a number above 0 is needed`)
  }

  whole(option: string, text: string, most = 1_000_000): number {
    const value = this.positive(option, text)
    if (Number.isInteger(value) && value <= most) return value
    return this.wrong(`--${option} ${text}: a whole number up to ${most} is needed`)
  }

  /**
   * Runs a campaign with a stand-in for its test; `run` resolves to whether the campaign passed.
   */
  async carryOut(run: (owner: Owner) => Promise<boolean>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), `troca-${this.#name}-`))
    const endings: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
    const end = async (): Promise<void> => {
      for (const ending of endings.splice(0)) await ending()
    }
    let interrupted: Promise<never> | null = null
    const interrupt = (): void => {
      process.stderr.write('interrupted: cleaning up\n')
      interrupted ??= end().then(() => process.exit(130))
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    let passing = false
    const owner = {
      testdir: () => directory,
      teardown: (ending: () => unknown) => void endings.unshift(ending),
      // An interrupt is no failure that the replicas' logs would explain.
      passing: () => passing || interrupted !== null,
    }
    try {
      passing = await run(owner)
      process.exitCode = passing ? 0 : 1
    } finally {
      // What an interrupt has begun to clean up may make `run` fail before all is clean.
      await (interrupted ?? end())
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    }
  }
}
