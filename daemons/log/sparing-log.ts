// A rate-limited log for events that strangers can cause at will. After a burst it writes only
// PER_SECOND lines a second, and the next line carries the number held back. Without the limit, an
// attacker who is refused a thousand times a second would push all other events out of the capped
// files.

import type { LogFields } from './log.js'
import type { LogLevel } from '../../protocol/machine/machine.js'

const BURST = 50
const PER_SECOND = 5

export class SparingLog {
  readonly #write: (level: LogLevel, event: string, fields: LogFields) => void
  /** Monotonic ms. */
  readonly #now: () => number
  #left = BURST
  #counted: number
  #heldBack = 0

  constructor(
    write: (level: LogLevel, event: string, fields: LogFields) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#write = write
    this.#now = now
    this.#counted = now()
  }

  log(level: LogLevel, event: string, fields: LogFields): void {
    const now = this.#now()
    this.#left = Math.min(BURST, this.#left + ((now - this.#counted) * PER_SECOND) / 1_000)
    this.#counted = now
    if (this.#left < 1) {
      this.#heldBack++
      return
    }
    this.#left--
    const told = this.#heldBack > 0 ? { ...fields, heldBack: this.#heldBack } : fields
    this.#write(level, event, told)
    this.#heldBack = 0
  }
}
