// The error that a checker throws: an invariant by its name in docs/PROTOCOL.md, or a rule of the
// checkers, and how it was broken.

export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: string

  constructor(invariant: string, message: string, options?: ErrorOptions) {
    super(`${invariant}: ${message}`, options)
    this.invariant = invariant
  }
}

export function expect(condition: boolean, invariant: string, say: () => string): void {
  if (!condition) throw new Violation(invariant, say())
}
