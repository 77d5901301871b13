// A multiset of keys. A key whose count is 0 uses no memory.

export class Multiset {
  readonly #counts = new Map<string, number>()
  #size = 0

  /** Sum of the counts of all keys. */
  get size(): number {
    return this.#size
  }

  count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(key: string): void {
    this.#counts.set(key, this.count(key) + 1)
    this.#size++
  }

  remove(key: string): void {
    const left = this.count(key) - 1
    if (left < 0) return
    this.#size--
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
  }
}
