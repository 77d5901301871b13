// Fields made of fields: records and choices of records. Each has a name, because docs/MESSAGES.md
// gives it a table of its own.

import { fail, field } from './schema.js'
import type { AnyField, AnyShape, Fields, Meant, WireValue } from './schema.js'

/** Reads an array of `skip` values, which the caller reads, and one more for each field. */
export function arrayReader<S extends AnyShape>(shape: S, skip: number) {
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

/** Appends the value of each field, in order, to `out`, which holds the values before them. */
export function arrayWriter(shape: AnyShape) {
  const names = Object.keys(shape)
  const fields: readonly AnyField[] = Object.values(shape)
  return (content: object, out: WireValue[]): WireValue[] => {
    for (let i = 0; i < names.length; i++) {
      out.push(fields[i]!.write((content as Record<string, unknown>)[names[i]!]))
    }
    return out
  }
}

interface RecordRow<S extends AnyShape> {
  readonly name: string
  readonly meaning: string
  readonly fields: S
}

function exampleOf<S extends AnyShape>(fields: S): Fields<S> {
  const examples = Object.entries(fields).map(([name, { example }]) => [name, example])
  return Object.fromEntries(examples) as Fields<S>
}

/** Named fields in a fixed order; travels as an array. */
export function record<S extends AnyShape>(row: RecordRow<S>): Meant<Fields<S>> {
  const writer = arrayWriter(row.fields)
  return field<Fields<S>>({
    label: row.name,
    example: exampleOf(row.fields),
    definition: row,
    read: arrayReader(row.fields, 0),
    write: (value) => writer(value, []),
  }).means(row.meaning)
}

type Choice<V extends Readonly<Record<string, AnyShape>>> = {
  [K in keyof V]: { readonly kind: K } & Fields<V[K]>
}[keyof V]

interface VariantRow<V extends Readonly<Record<string, AnyShape>>> {
  readonly name: string
  readonly meaning: string
  readonly choices: V
}

/** A closed choice of records; travels as an array that opens with the number of the choice. */
export function variant<const V extends Readonly<Record<string, AnyShape>>>(
  row: VariantRow<V>,
): Meant<Choice<V>> {
  const kinds = Object.keys(row.choices)
  const shapes = Object.values(row.choices)
  const readers = shapes.map((shape) => arrayReader(shape, 1))
  const writers = shapes.map((shape) => arrayWriter(shape))
  return field<Choice<V>>({
    label: row.name,
    example: { kind: kinds[0], ...exampleOf(shapes[0]!) } as Choice<V>,
    definition: row,
    read(value, path) {
      const number: unknown = Array.isArray(value) ? value[0] : undefined
      const reader = typeof number === 'number' ? readers[number] : undefined
      if (!reader) return fail(path, `one of ${kinds.join(', ')}`)
      return { kind: kinds[number as number], ...reader(value, path) } as Choice<V>
    },
    write(value) {
      const number = kinds.indexOf(value.kind as string)
      return writers[number]!(value, [number])
    },
  }).means(row.meaning)
}
