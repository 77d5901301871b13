// Values that orders ahead of the committed log have written, by key: each stays until the
// committed log holds the last order that wrote it.

export class OverlayMap<T> {
  readonly #written = new Map<string, { readonly value: T; readonly k: number }>()

  get size(): number {
    return this.#written.size
  }

  get(key: string): T | undefined {
    return this.#written.get(key)?.value
  }

  set(key: string, value: T, k: number): void {
    this.#written.set(key, { value, k })
  }

  has(key: string): boolean {
    return this.#written.has(key)
  }

  values(): T[] {
    return [...this.#written.values()].map(({ value }) => value)
  }

  *[Symbol.iterator](): Generator<[key: string, value: T]> {
    for (const [key, { value }] of this.#written) yield [key, value]
  }

  /** All orders through k are in the committed log, whole. */
  settle(k: number): void {
    for (const [key, written] of this.#written) if (written.k <= k) this.#written.delete(key)
  }
}
