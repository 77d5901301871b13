// troca send --lines: each line of the input is a message of its own. Lines are pipelined, and the
// outcome of each is told as soon as it is known. Invariant: at the end every line that was read is
// counted once: stored, refused (certainly not stored), or unknown.

import type { Readable } from 'node:stream'
import { MAX_TEXT } from '../../../protocol/schema/shared.js'
import type { Client } from '../../client.js'
import { TrocaError } from '../../errors.js'
import type { Receipt } from '../../outbox.js'
import { sayError } from '../texts.js'
import { linesOf, readText, type Line } from './input.js'

/** Lines sent and not yet answered. */
const LINES_UNDER_WAY = 512

export type LineOutcome =
  | { readonly line: number; readonly outcome: 'stored'; readonly receipt: Receipt }
  | { readonly line: number; readonly outcome: 'refused' | 'unknown'; readonly why: string }

export interface LinePlan {
  readonly to: string
  readonly endToEnd: boolean
  /** Of each line's answer. */
  readonly timeoutMs: number
  /** Lines before this one are read and not sent. */
  readonly startLine: number
  /** A line that is not stored does not end the sending. */
  readonly keepGoing: boolean
}

export interface LineTally {
  readonly stored: number
  /** Receipt with the highest log index. */
  readonly last: Receipt | null
  readonly failed: readonly LineOutcome[]
  /** The first line that was neither sent nor refused; null: the input was read to its end. */
  readonly unsentFrom: number | null
}

/** Outcomes of failed lines that are remembered; the rest are told and counted. */
const FAILED_KEPT = 1_000

export class LineSender {
  readonly #client: Client
  readonly #plan: LinePlan
  /** Resolves once the outcome is told; a rejection ends the sending. */
  readonly #tell: (outcome: LineOutcome) => Promise<void>
  readonly #underWay = new Set<Promise<void>>()
  readonly #failed: LineOutcome[] = []
  #stored = 0
  #last: Receipt | null = null
  #input: Readable | null = null
  #stopped = false

  constructor(client: Client, plan: LinePlan, tell: (outcome: LineOutcome) => Promise<void>) {
    this.#client = client
    this.#plan = plan
    this.#tell = tell
  }

  /** Sends no more lines; those under way are waited for. */
  stop(): void {
    this.#stopped = true
    // Input that may never come is not waited for.
    this.#input?.destroy()
  }

  async run(input: Readable): Promise<LineTally> {
    this.#input = input
    let next = this.#plan.startLine
    try {
      for await (const line of linesOf(input, MAX_TEXT)) {
        if (this.#stopped) break
        if (line.number < this.#plan.startLine) continue
        next = line.number + 1
        this.#send(line)
        if (this.#underWay.size >= LINES_UNDER_WAY) await Promise.race(this.#underWay)
      }
    } catch (error) {
      // An input that is destroyed ends with an error.
      if (!this.#stopped) throw error
    }
    await Promise.all(this.#underWay)
    const unsentFrom = this.#stopped ? next : null
    return { stored: this.#stored, last: this.#last, failed: this.#failed, unsentFrom }
  }

  #send(line: Line): void {
    const done = this.#outcomeOf(line)
      .then((outcome) => this.#settle(outcome))
      .catch(() => this.stop())
      .finally(() => this.#underWay.delete(done))
    this.#underWay.add(done)
  }

  async #outcomeOf({ number: line, bytes }: Line): Promise<LineOutcome> {
    const read = readText(bytes, MAX_TEXT)
    if ('refused' in read) return { line, outcome: 'refused', why: read.refused }
    const { to, endToEnd, timeoutMs } = this.#plan
    try {
      const receipt = await this.#client.send(to, read.text, { endToEnd, timeoutMs })
      return { line, outcome: 'stored', receipt }
    } catch (error) {
      if (!(error instanceof TrocaError)) throw error
      const why = sayError(error.name, error.message, error.retryAfterMs)
      return { line, outcome: error.definite ? 'refused' : 'unknown', why }
    }
  }

  async #settle(outcome: LineOutcome): Promise<void> {
    if (outcome.outcome === 'stored') {
      this.#stored++
      if (outcome.receipt.index > (this.#last?.index ?? 0)) this.#last = outcome.receipt
    } else {
      if (this.#failed.length < FAILED_KEPT) this.#failed.push(outcome)
      if (!this.#plan.keepGoing) this.stop()
    }
    await this.#tell(outcome)
  }
}
