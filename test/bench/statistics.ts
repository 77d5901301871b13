// Statistics of a few rounds, and the bars of a histogram.

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** The value below which `share` of the values lie, interpolated between neighbours. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN
  const sorted = values.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return low + (high - low) * (place - Math.floor(place))
}

export function spread(values: readonly number[]): Spread {
  return { min: quantile(values, 0), median: quantile(values, 0.5), max: quantile(values, 1) }
}

export interface Bin {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** Bins of `width` from the least value to the greatest; the first begins at a multiple of it. */
export function bins(values: readonly number[], width: number): Bin[] {
  if (values.length === 0) return []
  const placed = values.map((value) => Math.floor(value / width))
  const [first, last] = [Math.min(...placed), Math.max(...placed)]
  return Array.from({ length: last - first + 1 }, (_, i) => ({
    from: (first + i) * width,
    to: (first + i + 1) * width,
    count: placed.filter((place) => place === first + i).length,
  }))
}
