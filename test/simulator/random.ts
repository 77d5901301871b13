// Randomness from a seed: xoshiro128** seeded by splitmix32 (Blackman & Vigna 2018). Every concern
// of a run draws from a stream of its own, so that turning one fault off does not reshuffle the
// rest.

export class Random {
  readonly #s = new Uint32Array(4)

  constructor(seed: number, label = '') {
    let mix = (seed ^ 0x9e3779b9) >>> 0
    for (const char of label) mix = Math.imul(mix ^ char.charCodeAt(0), 0x01000193) >>> 0
    mix = (mix + Math.floor(seed / 2 ** 32)) >>> 0
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) >>> 0
      let z = mix
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      this.#s[i] = z ^ (z >>> 15)
    }
  }

  u32(): number {
    const s = this.#s
    const x = Math.imul(s[1]!, 5)
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0
    const t = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = (s[3]! << 11) | (s[3]! >>> 21)
    return result
  }

  /** 0 <= x < 1. */
  float(): number {
    return this.u32() / 2 ** 32
  }

  /** A whole number 0 ... n - 1. */
  below(n: number): number {
    return Math.floor(this.float() * n)
  }

  /** A whole number low ... high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** low <= x < high, uniform on a logarithmic scale. */
  spread(low: number, high: number): number {
    return low * (high / low) ** this.float()
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.float())
  }

  chance(probability: number): boolean {
    return this.float() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /**
   * Splits the items at random in two parts, neither of them empty where there are two items or
   * more.
   */
  split<T>(items: readonly T[]): [T[], T[]] {
    const order = this.shuffled(items)
    const cut = items.length < 2 ? items.length : this.between(1, items.length - 1)
    return [order.slice(0, cut), order.slice(cut)]
  }

  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[out[i], out[j]] = [out[j]!, out[i]!]
    }
    return out
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.u32()
    return out
  }

  hex(length: number): string {
    return Buffer.from(this.bytes(length)).toString('hex')
  }
}
