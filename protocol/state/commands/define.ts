// What a kind of command, and a kind of entry, consist of. One file per command says all of it; the
// registry lists the files.

import type { Kind, Meta } from '../../entries/entry.js'
import type { AnyShape, Fields } from '../../schema/schema.js'
import type { Decision, ExecutionContext } from '../decision.js'
import type { LedgerView, LedgerWriter } from '../ledger-view.js'

export interface CommandDefinition<S extends AnyShape> {
  /** The fields on the wire, in order, after the origin. */
  readonly fields: S
  /** Bytes that the command adds to its entry beyond header and envelope, at the most. */
  weigh?(command: Fields<S>): number
  /**
   * One command yields exactly one entry, the same bytes on every replica. `place`: of the command in
   * its order, from 0.
   */
  decide(ledger: LedgerView, command: Fields<S>, context: ExecutionContext, place: number): Decision
  /** `decide` is called for a diverged order too; otherwise a no-op refuses the command there. */
  readonly decidesDiverged?: true
}

export function defineCommand<const S extends AnyShape>(
  definition: CommandDefinition<S>,
): CommandDefinition<S> {
  return definition
}

/** The part of an entry that its place in the log and in time is read from. */
export interface Written {
  readonly body: Uint8Array
  /** 0: not committed yet. */
  readonly index: number
  /** Milliseconds since 1970; 0: not committed yet. */
  readonly time: number
}

export interface EntryDefinition {
  readonly kind: Kind
  /** Throws where the body is none of this kind. Absent: execution does not read the body. */
  check?(meta: Meta, body: Uint8Array): void
  apply(ledger: LedgerWriter, meta: Meta, written: Written): void
}

export function defineEntry(definition: EntryDefinition): EntryDefinition {
  return definition
}
