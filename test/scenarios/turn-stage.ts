// A stage for the turn alone: members, FIFO links between every two of them, and a transcript of
// what travels. Nothing moves until it is told to.

import type { Slot } from '../../protocol/machine.js'
import { Turn } from '../../protocol/mutex/ricart-agrawala.js'

interface Letter {
  readonly kind: 'REQUEST' | 'REPLY'
  readonly from: Slot
  readonly to: Slot
  readonly stamp: number
}

export class TurnStage {
  readonly transcript: string[] = []
  readonly #turns = new Map<Slot, Turn>()
  #letters: Letter[] = []

  constructor(members: readonly Slot[]) {
    for (const self of members) {
      const send = (kind: Letter['kind'], to: Slot, stamp: number): void =>
        void this.#letters.push({ kind, from: self, to, stamp })
      const turn = new Turn(self, {
        sendRequest: (to, stamp) => send('REQUEST', to, stamp),
        sendReply: (to, stamp) => send('REPLY', to, stamp),
      })
      turn.install(members.filter((slot) => slot !== self))
      this.#turns.set(self, turn)
    }
  }

  get holders(): Slot[] {
    return [...this.#turns].filter(([, turn]) => turn.holding).map(([slot]) => slot)
  }

  turn(slot: Slot): Turn {
    return this.#turns.get(slot)!
  }

  request(slot: Slot, stamp: number): void {
    this.#note(`${slot} wants the turn, stamp ${stamp}`)
    this.#acting(slot, (turn) => turn.request(stamp))
  }

  leave(slot: Slot): void {
    this.#note(`${slot} leaves`)
    this.#acting(slot, (turn) => turn.leave())
  }

  /** Delivers the oldest letter between two members. */
  deliver(from: Slot, to: Slot): void {
    const letter = this.#letters.find((one) => one.from === from && one.to === to)
    if (!letter) throw new Error(`nothing is under way from ${from} to ${to}`)
    this.#letters = this.#letters.filter((one) => one !== letter)
    this.#note(`${from} → ${to} ${letter.kind} ${letter.stamp}`)
    this.#acting(to, (turn) => {
      if (letter.kind === 'REQUEST') turn.onRequest(from, letter.stamp)
      else turn.onReply(from, letter.stamp)
    })
  }

  /** Everything under way, oldest first, until nothing is. */
  settle(): void {
    for (let next = this.#letters[0]; next; next = this.#letters[0]) {
      this.deliver(next.from, next.to)
    }
  }

  /** Repeats a reply of the past, as an old connection might. */
  stray(from: Slot, to: Slot, stamp: number): void {
    this.#note(`${from} → ${to} REPLY ${stamp}, late`)
    this.#acting(to, (turn) => void turn.onReply(from, stamp))
  }

  #acting(slot: Slot, act: (turn: Turn) => void): void {
    const turn = this.turn(slot)
    const before = turn.holding
    act(turn)
    if (turn.holding && !before) this.#note(`${slot} holds the turn`)
  }

  #note(line: string): void {
    this.transcript.push(line)
  }

  /** What happened since it was last asked. */
  take(): string[] {
    return this.transcript.splice(0)
  }
}
