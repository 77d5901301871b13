// A queue that is fair among origins: origins with waiting items are served in turn, however many
// items the others have, and an item too many is dropped from the origin that has most.

export class FairQueue<T> {
  /** FIFO of each origin; the origin served next comes first. Invariant: no FIFO is empty. */
  readonly #of = new Map<string, T[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(origin: string, item: T): void {
    const own = this.#of.get(origin)
    if (own) own.push(item)
    else this.#of.set(origin, [item])
    this.#size++
  }

  shift(): T | undefined {
    const next = this.#of.entries().next()
    if (next.done) return undefined
    const [origin, own] = next.value
    const item = own.shift()
    this.#of.delete(origin)
    if (own.length > 0) this.#of.set(origin, own)
    this.#size--
    return item
  }

  /** Removes the newest item of the origin that has most. */
  dropFromLongest(): T | undefined {
    let longest: [string, T[]] | undefined
    for (const one of this.#of) if (one[1].length > (longest?.[1].length ?? 0)) longest = one
    if (!longest) return undefined
    const [origin, own] = longest
    const item = own.pop()
    if (own.length === 0) this.#of.delete(origin)
    this.#size--
    return item
  }

  clear(): T[] {
    const all = [...this.#of.values()].flat()
    this.#of.clear()
    this.#size = 0
    return all
  }
}
