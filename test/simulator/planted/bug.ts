// A planted bug: a small change to a copy of the built machines, which proves that the checkers can
// fail. The product itself contains no trace of planted bugs.

import type { WorkloadName } from '../workload/choice.js'

interface Change {
  /** Path below protocol/, without its extension. */
  readonly file: string
  /** The line as the compiler writes it; it occurs exactly once in the file. */
  readonly line: string
  readonly becomes: string
}

export interface Bug {
  readonly name: string
  /** The workload that hunts the bug; absent: the seed's choice. */
  readonly workload?: WorkloadName
  readonly changes: readonly Change[]
  /** The invariants that may notice the bug. */
  readonly caughtBy: readonly string[]
}
