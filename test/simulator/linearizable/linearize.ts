// Whether a concurrent history is one that a sequential object could have answered. Wing & Gong
// 1993 with the memo of Lowe 2017: depth first over which operation took effect next, never twice
// from the same set of done operations and the same state. An operation that never returned took
// effect at any time after its call, or never.

export interface Operation<What> {
  /** Place among all calls and returns; no two are equal. */
  readonly called: number
  /** Place of the return; Infinity: the operation never returned. */
  readonly returned: number
  readonly who: string
  /** The request and its answer. */
  readonly what: What
}

/** The sequential specification. States are never changed in place. */
export interface Model<State, What> {
  readonly init: State
  /** The next state; null: the operation cannot have had this answer in this state. */
  step(state: State, what: What): State | null
  /** A key that differs for different states. */
  key(state: State): string | number
  /** Whether the operation never changes a state; such an operation is taken wherever it fits. */
  isQuery?(what: What): boolean
}

export type Verdict = 'linearizable' | 'not linearizable' | 'undecided'

/** Calls and returns in their order, as a list that operations are lifted out of and put back into. */
class Events {
  readonly #next: Int32Array
  readonly #previous: Int32Array
  /** By place in the list, from 1; 0 is before the first, and negative numbers are returns. */
  readonly #operation: Int32Array
  readonly #callAt: Int32Array
  readonly #returnAt: Int32Array

  constructor(operations: readonly Operation<unknown>[]) {
    const events = operations.flatMap(({ called, returned }, i) =>
      returned === Infinity
        ? [{ at: called, operation: i + 1 }]
        : [
            { at: called, operation: i + 1 },
            { at: returned, operation: -i - 1 },
          ],
    )
    events.sort((a, b) => a.at - b.at)
    const size = events.length + 2
    this.#next = Int32Array.from({ length: size }, (_, i) => i + 1)
    this.#previous = Int32Array.from({ length: size }, (_, i) => i - 1)
    this.#operation = new Int32Array(size)
    this.#callAt = new Int32Array(operations.length)
    this.#returnAt = new Int32Array(operations.length)
    for (const [i, { operation }] of events.entries()) {
      this.#operation[i + 1] = operation
      if (operation > 0) this.#callAt[operation - 1] = i + 1
      else this.#returnAt[-operation - 1] = i + 1
    }
  }

  get first(): number {
    return this.#next[0]!
  }

  after(place: number): number {
    return this.#next[place]!
  }

  /** The operation whose call is at this place; undefined: a return, or the end. */
  callAt(place: number): number | undefined {
    const operation = this.#operation[place]!
    return operation > 0 ? operation - 1 : undefined
  }

  callOf(operation: number): number {
    return this.#callAt[operation]!
  }

  lift(operation: number): void {
    for (const place of this.#places(operation)) {
      this.#next[this.#previous[place]!] = this.#next[place]!
      this.#previous[this.#next[place]!] = this.#previous[place]!
    }
  }

  /** Undoes the last `lift` that has not been undone. */
  putBack(operation: number): void {
    for (const place of this.#places(operation).reverse()) {
      this.#next[this.#previous[place]!] = place
      this.#previous[this.#next[place]!] = place
    }
  }

  #places(operation: number): number[] {
    const returned = this.#returnAt[operation]!
    return returned > 0 ? [this.#callAt[operation]!, returned] : [this.#callAt[operation]!]
  }
}

/** The operations that have taken effect. */
class Done {
  readonly #words: Uint32Array

  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / 32))
  }

  flip(operation: number): void {
    this.#words[operation >>> 5]! ^= 1 << (operation & 31)
  }

  get key(): string {
    return this.#words.join()
  }
}

interface Choice<State> {
  readonly operation: number
  readonly from: State
  readonly query: boolean
}

class Search<State, What> {
  readonly #operations: readonly Operation<What>[]
  readonly #model: Model<State, What>
  readonly #events: Events
  readonly #done: Done
  readonly #seen = new Set<string>()
  readonly #chosen: Choice<State>[] = []
  #state: State
  /** Operations that have returned and not yet taken effect. */
  #toReturn: number
  #at: number

  constructor(operations: readonly Operation<What>[], model: Model<State, What>) {
    this.#operations = operations
    this.#model = model
    this.#events = new Events(operations)
    this.#done = new Done(operations.length)
    this.#state = model.init
    this.#toReturn = operations.filter(({ returned }) => returned !== Infinity).length
    this.#at = this.#events.first
  }

  run(maxSteps: number): Verdict {
    for (let steps = 0; this.#toReturn > 0;) {
      const operation = this.#events.callAt(this.#at)
      if (operation === undefined) {
        if (!this.#goBack()) return 'not linearizable'
        continue
      }
      if (++steps > maxSteps) return 'undecided'
      if (!this.#take(operation)) this.#at = this.#events.after(this.#at)
    }
    return 'linearizable'
  }

  /**
   * Tries the operation as the next to take effect: false where the model refuses it or the result
   * is known.
   */
  #take(operation: number): boolean {
    const from = this.#state
    const { what } = this.#operations[operation]!
    const next = this.#model.step(from, what)
    if (next === null) return false
    const query = this.#model.isQuery?.(what) ?? false
    this.#flip(operation, -1)
    if (!query && !this.#isNew(next)) {
      this.#flip(operation, 1)
      return false
    }
    this.#chosen.push({ operation, from, query })
    this.#events.lift(operation)
    this.#state = next
    this.#at = this.#events.first
    return true
  }

  /**
   * Backtracks at a return, whose operation should have taken effect before. False: no choice is
   * left.
   */
  #goBack(): boolean {
    for (;;) {
      const choice = this.#chosen.pop()
      if (!choice) return false
      this.#events.putBack(choice.operation)
      this.#flip(choice.operation, 1)
      this.#state = choice.from
      this.#at = this.#events.after(this.#events.callOf(choice.operation))
      if (!choice.query) return true
    }
  }

  #flip(operation: number, by: 1 | -1): void {
    this.#done.flip(operation)
    if (this.#operations[operation]!.returned !== Infinity) this.#toReturn += by
  }

  #isNew(state: State): boolean {
    const key = `${this.#model.key(state)} ${this.#done.key}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }
}

/** `maxSteps`: number of steps of the model after which the verdict is undecided. */
export function linearize<State, What>(
  operations: readonly Operation<What>[],
  model: Model<State, What>,
  maxSteps = 1_000_000,
): Verdict {
  return new Search(operations, model).run(maxSteps)
}
