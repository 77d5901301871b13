// Chang & Roberts 1979, "An improved algorithm for decentralized extrema-finding in circular
// configurations of processes".

import t from 'tap'
import { Ring } from '../../protocol/election/ring.js'
import type { Slot } from '../../protocol/machine.js'

const ROUND_MS = 100

interface Message {
  readonly round: number
  readonly candidate: Slot
  readonly hops: number
}

/** A ring of members with a transcript; who is cut off is nobody's successor. */
class Stage {
  readonly winners: Slot[] = []
  readonly dead = new Set<Slot>()
  readonly unfit = new Set<Slot>()
  readonly #rings = new Map<Slot, Ring>()
  readonly #lines: string[] = []
  #letters: { from: Slot; to: Slot; message: Message }[] = []
  now = 0

  constructor(slots: number) {
    for (let self = 1; self <= slots; self++) {
      const port = {
        successor: (): Slot | undefined => this.#successor(self, slots),
        send: (to: Slot, message: Message) => void this.#letters.push({ from: self, to, message }),
        eligible: () => !this.unfit.has(self),
        random: () => 0,
      }
      this.#rings.set(self, new Ring(self, slots, port, { roundMs: ROUND_MS }))
    }
  }

  #successor(self: Slot, slots: number): Slot | undefined {
    for (let step = 1; step < slots; step++) {
      const slot = ((self - 1 + step) % slots) + 1
      if (!this.dead.has(slot)) return slot
    }
    return undefined
  }

  elect(slot: Slot): void {
    this.#outcome(slot, this.#rings.get(slot)!.elect(this.now))
  }

  settle(): void {
    for (let next = this.#letters.shift(); next; next = this.#letters.shift()) {
      const { from, to, message } = next
      if (this.dead.has(to)) continue
      this.#lines.push(`${from} → ${to} ELECTION ${message.candidate}`)
      this.#outcome(to, this.#rings.get(to)!.onElection(message, this.now))
    }
  }

  #outcome(slot: Slot, won: boolean): void {
    if (!won) return
    this.winners.push(slot)
    this.#lines.push(`${slot} has won`)
  }

  take(): string[] {
    return this.#lines.splice(0)
  }

  lose(): void {
    this.#letters = []
  }
}

t.test('a higher id is passed on, and wins when it has come round', async (t) => {
  const stage = new Stage(3)
  stage.elect(3)
  stage.settle()
  t.same(stage.take(), ['3 → 1 ELECTION 3', '1 → 2 ELECTION 3', '2 → 3 ELECTION 3', '3 has won'])
})

t.test('a lower id is replaced by the own one', async (t) => {
  const stage = new Stage(3)
  stage.elect(1)
  stage.settle()
  t.same(stage.take(), [
    '1 → 2 ELECTION 1',
    '2 → 3 ELECTION 2',
    '3 → 1 ELECTION 3',
    '1 → 2 ELECTION 3',
    '2 → 3 ELECTION 3',
    '3 has won',
  ])
})

t.test('when all begin at once, lower ids are dropped by who takes part already', async (t) => {
  const stage = new Stage(4)
  for (const slot of [1, 2, 3, 4]) stage.elect(slot)
  stage.settle()
  t.same(stage.winners, [4])
})

t.test('the ring closes around a member that is gone', async (t) => {
  const stage = new Stage(3)
  stage.dead.add(3)
  stage.elect(1)
  stage.settle()
  t.same(stage.take(), ['1 → 2 ELECTION 1', '2 → 1 ELECTION 2', '1 → 2 ELECTION 2', '2 has won'])
})

t.test('who could not work passes on and does not offer its id', async (t) => {
  const stage = new Stage(3)
  stage.unfit.add(3)
  stage.elect(1)
  stage.settle()
  t.same(stage.winners, [2])
})

t.test('alone it wins at once', async (t) => {
  const stage = new Stage(3)
  stage.dead.add(2).add(3)
  stage.elect(1)
  t.same(stage.winners, [1])
})

t.test('a lost message costs a round, no more', async (t) => {
  const stage = new Stage(3)
  stage.elect(3)
  stage.lose()
  stage.now += ROUND_MS
  stage.elect(3)
  stage.settle()
  t.same(stage.winners, [3])
})

t.test('the id of a candidate that is gone does not go round for ever', async (t) => {
  const stage = new Stage(4)
  stage.elect(4)
  stage.dead.add(4)
  stage.settle()
  t.same(stage.winners, [])
  t.ok(stage.take().length <= 3 * 4)
})

t.test('after two rounds without a winner, a member claims without the ring', async (t) => {
  const stage = new Stage(3)
  for (let round = 1; round <= 3; round++) {
    stage.elect(2)
    stage.lose()
    stage.now += ROUND_MS
  }
  t.same(stage.winners, [2])
})
