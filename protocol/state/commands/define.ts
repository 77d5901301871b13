// The parts of a command kind and of an entry kind. One file defines each command; the registry
// lists the files.

import type { Draft, Kind, Meta } from '../../entries/entry.js'
import type { AnyShape, Fields } from '../../schema/schema.js'
import type { ExecutionContext } from '../decision.js'
import type { LedgerView, LedgerWriter } from '../ledger-view.js'

export interface CommandDefinition<S extends AnyShape> {
  /** The fields on the wire, in order, after the origin. */
  readonly fields: S
  /** Upper bound of the bytes that the command adds to its entry beyond meta and envelope. */
  weigh?(command: Fields<S>): number
  /** Commands of one order with the same name here share a part of their bodies. */
  sharedBy?(command: Fields<S>): string
  /**
   * Each command yields exactly one entry, the same bytes on every replica. `place` is the
   * command's position in its order, from 0.
   */
  decide(ledger: LedgerView, command: Fields<S>, context: ExecutionContext, place: number): Draft
  /** `decide` is called for a diverged order too. Without it, a no-op refuses the command there. */
  readonly decidesDiverged?: true
}

export function defineCommand<const S extends AnyShape>(
  definition: CommandDefinition<S>,
): CommandDefinition<S> {
  return definition
}

/** The parts of an entry that are applied to the ledger, besides its meta. */
export interface Written {
  readonly body: Uint8Array
  /** 0: not committed yet. */
  readonly index: number
  /** Of the order, milliseconds since 1970. */
  readonly time: number
}

export interface EntryDefinition {
  readonly kind: Kind
  /** Throws if the body is not one of this kind. Absent: execution does not read the body. */
  check?(meta: Meta, body: Uint8Array): void
  apply(ledger: LedgerWriter, meta: Meta, written: Written): void
}

export function defineEntry(definition: EntryDefinition): EntryDefinition {
  return definition
}
