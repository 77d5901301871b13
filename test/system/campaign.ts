// A campaign as a command: its numbers, a folder of its own, and the end of all that it started.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from './cluster.js'

/** One that names the trouble on stderr, with how it is used, and ends with exit code 2. */
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

  positive(option: string, text: string): number {
    const value = Number(text)
    if (Number.isFinite(value) && value > 0) return value
    return this.wrong(`--${option} ${text}: a number above 0 is needed`)
  }

  /** `run` tells whether it found nothing wrong; what stands in for its test ends with it. */
  async carryOut(run: (owner: Owner) => Promise<boolean>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), `troca-${this.#name}-`))
    const endings: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
    let passing = false
    const owner = {
      testdir: () => directory,
      teardown: (ending: () => unknown) => void endings.unshift(ending),
      passing: () => passing,
    }
    try {
      passing = await run(owner)
      process.exitCode = passing ? 0 : 1
    } finally {
      for (const ending of endings) await ending()
    }
  }
}
