// The vocabulary that messages are described in. One description gives the TypeScript type, the
// strict validator, an example for the golden frame and the row in docs/MESSAGES.md. On the wire a
// message is a MessagePack array: its tag, then its fields in order.

/** What a peer sent does not fit the catalogue. `path` says where. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** MessagePack values as they travel: no maps, no floats, no extensions. */
export type WireValue = null | boolean | number | bigint | string | Uint8Array | WireValue[]

export interface Field<T> {
  /** For the tables: "u32 ms", "bytes[16]". */
  readonly label: string
  readonly example: T
  /** The checked value; throws WireError. */
  read(value: unknown, path: string): T
  write(value: T): WireValue
}

// A Field is invariant in T; the catalogue only ever needs "some field".
// oxlint-disable-next-line typescript/no-explicit-any
type AnyField = Field<any>
export type AnyShape = Record<string, AnyField>
export type Fields<S extends AnyShape> = {
  readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never
}

function fail(path: string, wanted: string): never {
  throw new WireError(`${path}: ${wanted} expected`)
}

const U32 = 0xffffffff

/** A whole number 0 ... max (at most 2^53 - 1). */
export function uint(max: number = Number.MAX_SAFE_INTEGER, unit = '', example = 1): Field<number> {
  const label = `uint <= ${max === Number.MAX_SAFE_INTEGER ? '2^53-1' : max}${unit && ` ${unit}`}`
  return {
    label,
    example,
    read(value, path) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
        return fail(path, label)
      }
      return value
    },
    // msgpackr writes numbers above 2^32 as floats; a BigInt it writes as a 64-bit integer.
    write: (value) => (value > U32 ? BigInt(value) : value),
  }
}

export function text(maxBytes: number, example = 'text'): Field<string> {
  const label = `text <= ${maxBytes} bytes`
  return {
    label,
    example,
    read(value, path) {
      if (typeof value !== 'string') return fail(path, label)
      // A UTF-16 unit is at most three bytes of UTF-8.
      if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) fail(path, label)
      return value
    },
    write: (value) => value,
  }
}

export function bytes(min: number, max = min, example?: Uint8Array): Field<Uint8Array> {
  const label = min === max ? `bytes[${min}]` : `bytes[${min}..${max}]`
  return {
    label,
    example: example ?? new Uint8Array(min || 3).fill(0xab),
    read(value, path) {
      if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
        return fail(path, label)
      }
      return value
    },
    write: (value) => value,
  }
}

export const bool: Field<boolean> = {
  label: 'bool',
  example: true,
  read: (value, path) => (typeof value === 'boolean' ? value : fail(path, 'bool')),
  write: (value) => value,
}

/** One of a closed set of words; travels as its number in the list. */
export function oneOf<const W extends readonly [string, ...string[]]>(
  ...words: W
): Field<W[number]> {
  const label = words.map((word, i) => `${i} ${word}`).join(', ')
  return {
    label,
    example: words[0],
    read(value, path) {
      const word = typeof value === 'number' ? words[value] : undefined
      return word === undefined ? fail(path, `one of ${label}`) : word
    },
    write: (value) => words.indexOf(value),
  }
}

export function list<T>(item: Field<T>, max: number, min = 0): Field<readonly T[]> {
  const label = `list of (${item.label}), ${min}..${max}`
  return {
    label,
    example: [item.example],
    read(value, path) {
      if (!Array.isArray(value) || value.length < min || value.length > max) {
        return fail(path, `list of ${min}..${max}`)
      }
      return value.map((element, i) => item.read(element, `${path}[${i}]`))
    },
    write: (value) => value.map((element) => item.write(element)),
  }
}

export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    label: `${field.label} or nil`,
    example: field.example,
    read: (value, path) => (value === null ? null : field.read(value, path)),
    write: (value) => (value === null ? null : field.write(value)),
  }
}

function arrayReader<S extends AnyShape>(shape: S, skip: number) {
  const entries = Object.entries(shape)
  return (value: unknown, path: string): Fields<S> => {
    if (!Array.isArray(value) || value.length !== entries.length + skip) {
      return fail(path, `array of ${entries.length + skip}`)
    }
    const out: Record<string, unknown> = {}
    for (let i = 0; i < entries.length; i++) {
      const [name, field] = entries[i]!
      out[name] = field.read(value[i + skip], `${path}.${name}`)
    }
    return out as Fields<S>
  }
}

/** Named fields in a fixed order; travels as an array. */
export function record<S extends AnyShape>(shape: S): Field<Fields<S>> {
  const entries = Object.entries(shape)
  const values = shape as Record<string, AnyField>
  return {
    label: `(${entries.map(([name, field]) => `${name}: ${field.label}`).join('; ')})`,
    example: Object.fromEntries(entries.map(([name, field]) => [name, field.example])) as Fields<S>,
    read: arrayReader(shape, 0),
    write: (value) =>
      Object.keys(values).map((name) =>
        values[name]!.write((value as Record<string, unknown>)[name]),
      ),
  }
}

/** A closed choice of records; travels as an array that opens with the number of the choice. */
export function variant<const V extends Record<string, AnyShape>>(
  choices: V,
): Field<{ [K in keyof V]: { readonly kind: K } & Fields<V[K]> }[keyof V]> {
  type Choice = { [K in keyof V]: { readonly kind: K } & Fields<V[K]> }[keyof V]
  const kinds = Object.keys(choices)
  const readers = kinds.map((kind) => arrayReader(choices[kind]!, 1))
  const first = kinds[0]!
  return {
    label: kinds.map((kind, i) => `${i} ${kind} ${record(choices[kind]!).label}`).join(' | '),
    example: { kind: first, ...record(choices[first]!).example } as Choice,
    read(value, path) {
      const number: unknown = Array.isArray(value) ? value[0] : undefined
      const reader = typeof number === 'number' ? readers[number] : undefined
      if (!reader) return fail(path, `one of ${kinds.join(', ')}`)
      return { kind: kinds[number as number], ...reader(value, path) } as Choice
    },
    write(value) {
      const kind = value.kind as string
      const shape: Record<string, AnyField> = choices[kind]!
      const fields = value as Record<string, unknown>
      const out: WireValue[] = [kinds.indexOf(kind)]
      for (const name of Object.keys(shape)) out.push(shape[name]!.write(fields[name]))
      return out
    },
  }
}

/** A catalogue entry: tags are never reused. */
export interface MessageType<N extends string, S extends AnyShape> {
  readonly tag: number
  readonly name: N
  /** One line for docs/MESSAGES.md. */
  readonly meaning: string
  readonly shape: S
  read(value: readonly unknown[]): { readonly type: N } & Fields<S>
  write(message: Fields<S>): WireValue[]
}

export function message<const N extends string, S extends AnyShape>(
  tag: number,
  name: N,
  meaning: string,
  shape: S,
): MessageType<N, S> {
  const reader = arrayReader(shape, 1)
  const names = Object.keys(shape)
  const fields: readonly AnyField[] = Object.values(shape)
  return {
    tag,
    name,
    meaning,
    shape,
    read: (value) => ({ type: name, ...reader(value, name) }),
    write(content) {
      const out: WireValue[] = [tag]
      for (let i = 0; i < names.length; i++) {
        out.push(fields[i]!.write((content as Record<string, unknown>)[names[i]!]))
      }
      return out
    },
  }
}

/** The TypeScript type of a catalogue entry's message. */
export type MessageOf<M> =
  M extends MessageType<infer N, infer S> ? { readonly type: N } & Fields<S> : never
