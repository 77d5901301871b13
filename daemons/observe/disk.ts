// The disk of the data folder. A replica whose disk is full refuses to store and erases nothing, since
// an erasure is an entry too: the log warns while there is room.

import { statfsSync } from 'node:fs'

/** Bytes. */
export interface DiskRoom {
  readonly size: number
  /** For this process; other users may have less. */
  readonly free: number
}

/** Less is little: `troca doctor` says so too. */
const LOW_BYTES = 1024 ** 3
const LOOK_EVERY_MS = 60_000
const WARN_EVERY_MS = 3_600_000

/** null: the system does not tell. */
export function diskRoom(folder: string): DiskRoom | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder)
    return { size: blocks * bsize, free: bavail * bsize }
  } catch {
    return null
  }
}

/** Looks at the disk every minute, and warns while there is little room, at most once an hour. */
export class DiskWatch {
  readonly #room: () => DiskRoom | null
  readonly #warn: (room: DiskRoom) => void
  #warnedAt = -Infinity
  #timer: NodeJS.Timeout | null = null

  constructor(room: () => DiskRoom | null, warn: (room: DiskRoom) => void) {
    this.#room = room
    this.#warn = warn
  }

  start(): void {
    this.look(performance.now())
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
  }

  /** `now`: monotonic ms. */
  look(now: number): void {
    const room = this.#room()
    if (!room || room.free >= LOW_BYTES) {
      this.#warnedAt = -Infinity
      return
    }
    if (now - this.#warnedAt < WARN_EVERY_MS) return
    this.#warnedAt = now
    this.#warn(room)
  }
}
