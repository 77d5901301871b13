// A planted bug: a small change to a copy of the built machines, to prove that the checkers can fail.
// The product itself knows nothing of them.

import type { WorkloadName } from '../workload/choice.js'

interface Change {
  /** In protocol/, without its ending. */
  readonly file: string
  /** As the compiler writes it; once in the file. */
  readonly line: string
  readonly becomes: string
}

export interface Bug {
  readonly name: string
  /** What hunts it; absent: whatever a seed says. */
  readonly workload?: WorkloadName
  readonly changes: readonly Change[]
  /** Which invariants may notice. */
  readonly caughtBy: readonly string[]
}
