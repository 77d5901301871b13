// The coordinator's watch for streams that have been idle for long. It goes through the open streams
// a part at a time, and orders the end of the idle ones.

import { KIND, type Entry } from '../entries/entry.js'
import type { ClientCommand } from '../state/commands/registry.js'
import { MOST_IDLE, decodeEnds } from '../state/commands/end-idle-streams.js'
import type { StreamView } from '../state/ledger-view.js'
import type { Executor } from '../state/executor.js'
import type { ProcessingContext } from './context.js'
import type { Submission } from './submission.js'

/** Streams looked at in one tick. */
const LOOKS = 1_024
/** Passes begin so often in the time after which a stream is idle, and at the least so far apart. */
const PASSES = 16
const LEAST_PAUSE_MS = 100
const MOST_PAUSE_MS = 60_000

export class IdleStreams {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #submission: Pick<Submission, 'submit'>
  /** The pass under way; null: there is none. */
  #pass: Iterator<[id: string, stream: StreamView]> | null = null
  #found: string[] = []
  #nextAt = 0
  /** A command of this watch is on its way. */
  #ordered = false
  /** Streams in the commands of this watch that were committed. */
  ended = 0

  constructor(
    context: ProcessingContext,
    executor: Executor,
    submission: Pick<Submission, 'submit'>,
  ) {
    this.#context = context
    this.#executor = executor
    this.#submission = submission
  }

  /** Called on each tick of a coordinator. */
  tick(): void {
    const { monotonic } = this.#context.now
    if (this.#ordered) return
    if (!this.#pass && monotonic < this.#nextAt) return
    this.#pass ??= this.#executor.base.streams[Symbol.iterator]()
    const { streamIdleMs } = this.#context.limits
    const idleSince = this.#context.clocks.timeAfter(this.#executor.base.time) - streamIdleMs
    const ended = this.#look(this.#pass, idleSince)
    if (this.#found.length > 0 && (ended || this.#found.length === MOST_IDLE)) {
      this.#order(idleSince)
    }
    if (!ended) return
    this.#pass = null
    const pause = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, streamIdleMs / PASSES))
    this.#nextAt = monotonic + pause
  }

  /** True: the pass has come to its end. */
  #look(pass: Iterator<[string, StreamView]>, idleSince: number): boolean {
    for (let looks = 0; looks < LOOKS && this.#found.length < MOST_IDLE; looks++) {
      const next = pass.next()
      if (next.done) return true
      const [id, { used }] = next.value
      if (used <= idleSince) this.#found.push(id)
    }
    return false
  }

  #order(idleSince: number): void {
    const streams = this.#found.map((id) => Buffer.from(id, 'latin1'))
    this.#found = []
    if (idleSince < 0) return
    const command: ClientCommand = { kind: 'end-idle-streams', streams, idleSince }
    const over = (): void => {
      this.#ordered = false
    }
    const answer = ({ meta, body }: Entry): void => {
      over()
      if (meta.kind === KIND.streamsEnded) this.ended += decodeEnds(body).length
    }
    this.#ordered = true
    const outcome = { answer, placed: () => {}, fail: over }
    // No client asked for it, so it shows nothing of where clients are.
    if (this.#submission.submit(command, false, outcome)) this.#ordered = false
  }

  /** This replica coordinates no more. */
  stopped(): void {
    this.#pass = null
    this.#found = []
  }
}
