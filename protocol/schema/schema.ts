// Fields: the vocabulary in which the catalogue describes its messages. One field gives the
// TypeScript type, the strict validator, an example for the golden frame and a row in
// docs/MESSAGES.md.

/**
 * A peer's bytes that do not fit the catalogue. The error's message begins with the path of the
 * field.
 */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** MessagePack values as they travel: no maps, no floats, no extensions. */
export type WireValue = null | boolean | number | bigint | string | Uint8Array | WireValue[]

export interface Field<T> {
  /** Label for the tables: "uint <= 9 slot", "bytes[16]". */
  readonly label: string
  readonly example: T
  /** The record or choice within, alone, optional or in a list; null: there is none. */
  readonly definition: Definition | null
  /** The checked value; throws WireError. */
  read(value: unknown, path: string): T
  write(value: T): WireValue
  /** A copy with a sentence for the tables, for readers who know nothing of the code. */
  means(meaning: string): Meant<T>
}

/** A field that can stand in a message, record or choice: it has a meaning. */
export interface Meant<T> extends Field<T> {
  readonly meaning: string
}

// A Field is invariant in T; the catalogue only ever needs "some field".
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyField = Meant<any>
export type AnyShape = Readonly<Record<string, AnyField>>
export type Fields<S extends AnyShape> = {
  readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never
}

/** A record, or a choice of records, with a table of its own in docs/MESSAGES.md. */
export type Definition = { readonly name: string; readonly meaning: string } & (
  { readonly fields: AnyShape } | { readonly choices: Readonly<Record<string, AnyShape>> }
)

type Plain<T> = Omit<Field<T>, 'means'>

export function field<T>(plain: Plain<T>): Field<T> {
  return { ...plain, means: (meaning) => ({ ...field(plain), meaning }) }
}

export function fail(path: string, wanted: string): never {
  throw new WireError(`${path}: ${wanted} expected`)
}

const U32 = 0xffffffff

interface UintRange {
  /** 0 by default. */
  readonly min?: number
  /** At most 2^53 - 1, which is the default. */
  readonly max?: number
  readonly unit?: string
  readonly example?: number
}

/** A whole number min ... max. */
export function uint({
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
  unit = '',
  example = 1,
}: UintRange = {}): Field<number> {
  const most = max === Number.MAX_SAFE_INTEGER ? '2^53-1' : max
  const label = `uint ${min === 0 ? '<= ' : `${min}..`}${most}${unit && ` ${unit}`}`
  return field({
    label,
    example,
    definition: null,
    read(value, path) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
        return fail(path, label)
      }
      return value
    },
    // msgpackr writes numbers above 2^32 as floats; a BigInt it writes as a 64-bit integer.
    write: (value) => (value > U32 ? BigInt(value) : value),
  })
}

export function text(maxBytes: number, example = 'text'): Field<string> {
  const label = `text <= ${maxBytes} bytes`
  return field({
    label,
    example,
    definition: null,
    read(value, path) {
      if (typeof value !== 'string') return fail(path, label)
      // A UTF-16 unit is at most three bytes of UTF-8.
      if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) fail(path, label)
      return value
    },
    write: (value) => value,
  })
}

export function bytes(min: number, max = min, example?: Uint8Array): Field<Uint8Array> {
  const label = min === max ? `bytes[${min}]` : `bytes[${min}..${max}]`
  return field({
    label,
    example: example ?? new Uint8Array(min || 3).fill(0xab),
    definition: null,
    read(value, path) {
      if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
        return fail(path, label)
      }
      return value
    },
    write: (value) => value,
  })
}

export const bool: Field<boolean> = field({
  label: 'bool',
  example: true,
  definition: null,
  read: (value, path) => (typeof value === 'boolean' ? value : fail(path, 'bool')),
  write: (value) => value,
})

/** A word of a closed set; travels as its number in the list. */
export function oneOf<const W extends readonly [string, ...string[]]>(
  ...words: W
): Field<W[number]> {
  const label = words.map((word, i) => `${i} ${word}`).join(', ')
  return field<W[number]>({
    label,
    example: words[0],
    definition: null,
    read(value, path) {
      const word = typeof value === 'number' ? words[value] : undefined
      return word === undefined ? fail(path, `one of ${label}`) : word
    },
    write: (value) => words.indexOf(value),
  })
}

export function list<T>(item: Field<T>, max: number, min = 0): Field<readonly T[]> {
  return field<readonly T[]>({
    label: `list of (${item.label}), ${min}..${max}`,
    example: [item.example],
    definition: item.definition,
    read(value, path) {
      if (!Array.isArray(value) || value.length < min || value.length > max) {
        return fail(path, `list of ${min}..${max}`)
      }
      return value.map((element, i) => item.read(element, `${path}[${i}]`))
    },
    write: (value) => value.map((element) => item.write(element)),
  })
}

export function optional<T>(inner: Field<T>): Field<T | null> {
  return field<T | null>({
    label: `${inner.label} or nil`,
    example: inner.example,
    definition: inner.definition,
    read: (value, path) => (value === null ? null : inner.read(value, path)),
    write: (value) => (value === null ? null : inner.write(value)),
  })
}
