// A log file that is capped in size and number: NAME.log, then NAME.1.log and so on, the oldest
// last. Invariant: a line is in the file when its write returns, even the last one before the
// process exits. winston's own file transport loses lines during a rotation, and lines still queued
// at its close.

import { closeSync, existsSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'

export interface CappedFileOptions {
  readonly directory: string
  readonly name: string
  /** Limit of one file, in bytes. */
  readonly maxBytes: number
  readonly maxFiles: number
}

export class CappedFile extends Writable {
  readonly #options: CappedFileOptions
  /** null: the next line opens a file. */
  #file: number | null
  #size: number

  constructor(options: CappedFileOptions) {
    super()
    this.#options = options
    this.#file = openSync(this.#path(0), 'a')
    this.#size = fstatSync(this.#file).size
  }

  override _write(line: Buffer, _encoding: string, done: (error?: Error) => void): void {
    try {
      if (this.#size > 0 && this.#size + line.length > this.#options.maxBytes) this.#change()
      this.#file ??= openSync(this.#path(0), 'a')
      writeSync(this.#file, line)
      this.#size += line.length
    } catch (error) {
      this.emit('lost', error)
    }
    done()
  }

  #change(): void {
    const full = this.#file
    // Cleared first: if the close or a rename throws, the next write must not use a closed
    // descriptor.
    this.#file = null
    this.#size = 0
    if (full !== null) closeSync(full)
    for (let i = this.#options.maxFiles - 1; i > 0; i--) {
      if (existsSync(this.#path(i - 1))) renameSync(this.#path(i - 1), this.#path(i))
    }
    if (this.#options.maxFiles === 1) rmSync(this.#path(0), { force: true })
  }

  #path(i: number): string {
    const { directory, name } = this.#options
    return join(directory, i === 0 ? `${name}.log` : `${name}.${i}.log`)
  }
}
