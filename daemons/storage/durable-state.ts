// The durable state beside the log, by key in one table: the replica's promise, view and
// incarnation, and the incarnations of others. A value is written only when it changes.

import type { Connection } from './connection.js'
import { EPOCH_ZERO, type Epoch } from '../../protocol/entries/epoch.js'
import { NO_FENCE, type Fence } from '../../protocol/entries/fence.js'
import type { Genesis, Remembered, Transaction } from '../../protocol/machine/storage.js'
import { FIRST_HISTORY } from '../../protocol/entries/origin.js'
import type { Incarnation, Member, View } from '../../protocol/entries/incarnation.js'

export interface DurableState {
  readonly genesis: Genesis
  readonly incarnation: Incarnation
  readonly promised: Epoch
  readonly view: View
  /** May lag behind `commit_seen` of the last entry. */
  readonly commit: number
  readonly incarnations: readonly Member[]
  readonly remembered: readonly Remembered[]
  /** Entries through here are in `mail`. */
  readonly indexed: number
  /** DROP entries through here are carried out. */
  readonly erased: number
  /** At the end of the segments. */
  readonly fence: Fence
  /** When a pass through the whole file last ended, ms since 1970; 0: never. */
  readonly scrubbed: number
}

export const NOTHING = {
  promised: EPOCH_ZERO,
  view: { epoch: EPOCH_ZERO, members: [] },
  commit: 0,
  incarnations: [],
  remembered: [],
  indexed: 0,
  erased: 0,
  fence: NO_FENCE,
  scrubbed: 0,
}

/** A file between createEmpty and its first batch has no genesis yet. */
export type PartialState = Omit<DurableState, 'genesis' | 'incarnation'> & Partial<DurableState>

export async function readState(connection: Connection): Promise<PartialState> {
  const rows = await connection.all<{ key: string; value: string }>('SELECT key, value FROM state')
  const stored = Object.fromEntries(
    rows.map(({ key, value }) => [key, JSON.parse(value) as unknown]),
  )
  const { genesis, ...others } = stored as Partial<DurableState>
  // A file that was made before histories had ids names none.
  const named = genesis && {
    genesis: { ...genesis, historyId: genesis.historyId ?? FIRST_HISTORY },
  }
  return { ...NOTHING, ...others, ...named }
}

/** Merges by key: an item with a known key replaces the old one in its place. */
function merge<T>(old: readonly T[], added: readonly T[], keyOf: (one: T) => string): T[] {
  const byKey = new Map(old.map((one) => [keyOf(one), one]))
  for (const one of added) byKey.set(keyOf(one), one)
  return [...byKey.values()]
}

/** The transaction's changes of the state, only where they differ from `state`; without `commit`. */
export function changes(state: PartialState, transaction: Transaction): Partial<DurableState> {
  const next: Partial<DurableState> = {
    ...transaction.genesis,
    ...(transaction.promised && { promised: transaction.promised }),
    ...(transaction.view && { view: transaction.view }),
    ...(transaction.erase && { erased: transaction.erase.at(-1)!.index }),
    ...(transaction.incarnations && {
      incarnations: merge(state.incarnations, transaction.incarnations, ({ slot }) => `${slot}`),
    }),
    ...(transaction.remembered && {
      remembered: merge(
        state.remembered,
        transaction.remembered,
        ({ slot, incarnation }) => `${slot} ${incarnation.counter} ${incarnation.nonce}`,
      ),
    }),
  }
  const differs = ([key, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(state[key as keyof DurableState])
  return Object.fromEntries(Object.entries(next).filter(differs)) as Partial<DurableState>
}

/** Writes any number of keys in one statement; ?1 holds the changes as JSON. */
export const UPSERT_STATE = `
INSERT INTO state SELECT key, value FROM json_each(?1) WHERE true
ON CONFLICT (key) DO UPDATE SET value = excluded.value`

export function stateParameter(changed: Partial<DurableState>): string {
  // Each value is stored as a JSON text, so the outer JSON holds strings.
  const texts = Object.entries(changed).map(([key, value]) => [key, JSON.stringify(value)])
  return JSON.stringify(Object.fromEntries(texts))
}
