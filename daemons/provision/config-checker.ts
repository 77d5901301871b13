// Checks a parsed file and collects all problems, instead of stopping at the first. Invariant: each
// check returns a value of the right type, a stand-in if there was a problem.

/** Shows a value as the file has it, shortened. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

export class Checker {
  readonly problems: string[] = []

  problem(path: string, is: string, needed: string): void {
    this.problems.push(`${path || 'the file'} is ${is}; needed: ${needed}`)
  }

  /** Checks for a section with no names but these. */
  object(value: unknown, path: string, names: readonly string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem(path, show(value), `a section with ${names.join(', ')}`)
      return {}
    }
    for (const name of Object.keys(value)) {
      if (names.includes(name)) continue
      const at = path ? `${path}.${name}` : name
      this.problem(at, 'not known', `one of ${names.join(', ')}; or leave it out`)
    }
    return value as Record<string, unknown>
  }

  list(value: unknown, path: string, min: number, max: number): unknown[] {
    if (Array.isArray(value) && value.length >= min && value.length <= max) return value
    const is = Array.isArray(value) ? `a list of ${value.length}` : show(value)
    this.problem(path, is, `a list of ${min} ... ${max}`)
    return []
  }

  integer(value: unknown, path: string, min: number, max: number): number {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
      return value as number
    }
    this.problem(path, show(value), `a whole number ${min} ... ${max}`)
    return min
  }

  text(value: unknown, path: string, pattern: RegExp, wanted: string): string {
    if (typeof value === 'string' && pattern.test(value)) return value
    this.problem(path, show(value), wanted)
    return ''
  }

  oneOf<T>(value: unknown, path: string, choices: readonly T[]): T {
    if (choices.includes(value as T)) return value as T
    this.problem(path, show(value), `one of ${choices.map(String).join(', ')}`)
    return choices[0]!
  }
}
