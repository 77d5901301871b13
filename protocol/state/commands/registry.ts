// The registry of all command kinds and entry kinds.

import { KIND, type Draft, type Meta } from '../../entries/entry.js'
import { decodeNote } from '../../entries/note.js'
import { ERRORS } from '../../errors.js'
import { record, variant } from '../../schema/record.js'
import type { AnyShape, Field, Fields, Meant } from '../../schema/schema.js'
import { boot, request, slot } from '../../schema/shared.js'
import { ACCOUNT_ENTRY } from './account-entry.js'
import { noop, type ExecutionContext } from '../decision.js'
import type { LedgerView, LedgerWriter } from '../ledger-view.js'
import { MESSAGE_ENTRY, REFUSAL_ENTRY } from './sending.js'
import { BLOCK_ENTRY, block } from './block.js'
import { changeAccount } from './change-account.js'
import { STREAM_CLOSED_ENTRY, closeStream } from './close-stream.js'
import type { CommandDefinition, EntryDefinition, Written } from './define.js'
import { STREAMS_ENDED_ENTRY, endIdleStreams } from './end-idle-streams.js'
import { CLOSED_ENTRY, deleteAccount } from './delete-account.js'
import { deleteMessages } from './delete.js'
import { EXPIRED_ENTRY, expire } from './expire.js'
import { INVITATION_ENTRY, invite } from './invite.js'
import { STREAM_ENTRY, openStream } from './open-stream.js'
import { register } from './register.js'
import { RETENTION_ENTRY, retain } from './retain.js'
import { sendSealed } from './send-sealed.js'
import { send } from './send.js'

/** By kind. On the wire, a kind is its number in this order. */
const COMMANDS = {
  register,
  'open-stream': openStream,
  send,
  'change-account': changeAccount,
  delete: deleteMessages,
  'send-sealed': sendSealed,
  invite,
  block,
  'delete-account': deleteAccount,
  'close-stream': closeStream,
  'end-idle-streams': endIdleStreams,
  retain,
  expire,
} as const

const ENTRIES: readonly EntryDefinition[] = [
  ACCOUNT_ENTRY,
  BLOCK_ENTRY,
  CLOSED_ENTRY,
  EXPIRED_ENTRY,
  INVITATION_ENTRY,
  MESSAGE_ENTRY,
  REFUSAL_ENTRY,
  RETENTION_ENTRY,
  STREAM_ENTRY,
  STREAM_CLOSED_ENTRY,
  STREAMS_ENDED_ENTRY,
]

type Definitions = typeof COMMANDS
type CommandKind = keyof Definitions

const origin = record({
  name: 'origin',
  meaning: 'The processing replica that a client asked, and its number for the request.',
  fields: {
    slot,
    boot,
    id: request.means('Number that the replica gave the request, unique within its boot.'),
  },
})
type Origin = typeof origin extends Field<infer T> ? T : never

type ShapeOf<D> = D extends CommandDefinition<infer S extends AnyShape> ? S : never

/** A command before it has an origin. */
export type ClientCommand = {
  [K in CommandKind]: { readonly kind: K } & Fields<ShapeOf<Definitions[K]>>
}[CommandKind]

export type Command = {
  [K in CommandKind]: { readonly kind: K; readonly origin: Origin } & Fields<
    ShapeOf<Definitions[K]>
  >
}[CommandKind]

// The fields of a command belong to the definition of its kind, which TypeScript cannot follow.
const DEFINITIONS = COMMANDS as unknown as Record<CommandKind, CommandDefinition<AnyShape>>

/** A command on the wire. */
export const commandField = variant({
  name: 'command',
  meaning: 'A request that takes a place in the order: of a client, or of the coordinator itself.',
  choices: Object.fromEntries(
    Object.entries(COMMANDS).map(([kind, { fields }]) => [kind, { origin, ...fields }]),
  ),
}) as unknown as Meant<Command>

/** Meta, listings and an envelope without its text: what it may share, and the rest. */
const SHARED_BYTES = 1_280
const OWN_BYTES = 256

/** Bytes of the entry that the command makes, at the most. */
export function weighCommand(command: Command): number {
  return SHARED_BYTES + OWN_BYTES + (DEFINITIONS[command.kind].weigh?.(command) ?? 0)
}

/** Bytes that the command adds to an order at the most. `shared`: of the commands before. */
export function weighInOrder(command: Command, shared: Set<string>): number {
  const name = DEFINITIONS[command.kind].sharedBy?.(command)
  const whole = weighCommand(command)
  if (name === undefined) return whole
  if (shared.has(name)) return whole - SHARED_BYTES
  shared.add(name)
  return whole
}

/**
 * The order's time and seeds are the only clock and randomness: every replica gets the same bytes.
 */
export function decide(
  ledger: LedgerView,
  command: Command,
  context: ExecutionContext,
  place: number,
): Draft {
  const definition = DEFINITIONS[command.kind]
  if (context.diverged && !definition.decidesDiverged) return noop(ERRORS.DIVERGED.code)
  return definition.decide(ledger, command, context, place)
}

const ENTRY_OF: readonly (EntryDefinition | undefined)[] = Object.values(KIND).map((kind) =>
  ENTRIES.find((entry) => entry.kind === kind),
)

export function applyEntry(ledger: LedgerWriter, meta: Meta, written: Written): void {
  ENTRY_OF[meta.kind]?.apply(ledger, meta, written)
}

/** Throws if execution could not read the body. */
export function checkEntry(meta: Meta, body: Uint8Array): void {
  if (meta.kind === KIND.noop) decodeNote(body)
  else ENTRY_OF[meta.kind]?.check?.(meta, body)
}
