// Logs of all kinds of entries for the tests of snapshots, made by executing random commands.

import { CHAIN_ZERO, entriesOf, packDrafts, withChain } from '../../../protocol/entries/batch.js'
import type { Batch } from '../../../protocol/entries/batch.js'
import { KIND, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import { encodeTerm } from '../../../protocol/entries/fence.js'
import { encodeMarks } from '../../../protocol/entries/marks.js'
import { decide, type Command } from '../../../protocol/state/commands/registry.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Random } from '../../simulator/random.js'
import * as orders from '../state/orders.js'
import { context } from '../state/orders.js'

const USERS = ['alice', 'bob', 'carol', 'dave']

export function applyBatch(ledger: Ledger, batch: Batch): void {
  for (const entry of entriesOf(batch)) ledger.apply(entry)
  ledger.applied(batch)
}

/** Streams are idle after twenty entries. */
const timeAt = (index: number): number => 1_000 + 50 * index

/** A log of `length` batches, each decided on the state before it. */
export function randomLog(seed: number, length: number): Batch[] {
  const random = new Random(seed)
  const ledger = new Ledger()
  const batches: Batch[] = []
  let k = 0
  const add = (term: number, number: number, drafts: readonly Draft[]): void => {
    const first = ledger.index + 1
    const place = { first, epoch: { counter: 1, slot: 1 }, lamport: first, time: timeAt(first) }
    const before = batches.at(-1)?.chain ?? CHAIN_ZERO
    const batch = withChain(before, { ...place, term, k: number, ...packDrafts(drafts) })
    applyBatch(ledger, batch)
    batches.push(batch)
  }
  const body = encodeTerm({ slot: 1, boot: 'boot', nonce: 'nonce' })
  add(1, 0, [{ meta: plainMeta(KIND.term), body }])
  while (batches.length < length) {
    if (random.chance(0.05)) {
      const mark = { delivered: ledger.index, read: random.below(ledger.index) }
      const marks = encodeMarks([[random.pick(USERS), mark]])
      add(0, 0, [{ meta: plainMeta(KIND.marks), body: marks }])
      continue
    }
    const command = randomCommand(ledger, random)
    const draft = decide(ledger, command, context({ k: ++k, time: timeAt(ledger.index) }), 0)
    add(1, k, [draft])
  }
  return batches
}

function randomCommand(ledger: Ledger, random: Random): Command {
  const [user, other] = [random.pick(USERS), random.pick(USERS)]
  const version = ledger.account(user)?.version ?? 1
  const token = random.below(200)
  const stream = someStream(ledger, random)
  const kind = random.below(100)
  if (kind < 8) return orders.register(user + (random.chance(0.5) ? '' : token), token)
  if (kind < 12) return orders.change(user, version, token, `${user}-${token}`)
  if (kind < 16) return orders.invite(user, token, random.between(50, 20_000), 5)
  if (kind < 18) return orders.registerBy(token, `${user}-${token}`)
  if (kind < 24) return orders.block(user, other, random.chance(0.3))
  if (kind < 25) return orders.close(user, version, token)
  if (kind < 32) return orders.open(user, token, 3)
  if (kind < 33) return orders.closeStream(user, stream)
  if (kind < 34) return orders.endIdle(timeAt(ledger.index), stream, someStream(ledger, random))
  if (kind < 42) {
    const indices = Array.from({ length: 5 }, () => random.below(ledger.index))
    return orders.remove(user, indices)
  }
  if (kind < 45) return orders.retain(user, { age: 0, count: random.below(3), bytes: 0 })
  if (kind < 50) {
    const through = random.below(ledger.index)
    const place = { through, read: random.below(through + 1), at: 0 }
    return orders.expire(user, place, ledger.retention(user))
  }
  return sendOn(ledger, random, user, other)
}

/** A stream that is open; one that never was, if none is. */
function someStream(ledger: Ledger, random: Random): Uint8Array {
  const ids = [...ledger.streams].map(([id]) => id)
  return Buffer.from(ids.length > 0 ? random.pick(ids) : '\u0001'.repeat(16), 'latin1')
}

/** The next send of some stream of the user; a send of a stream that is not open otherwise. */
function sendOn(ledger: Ledger, random: Random, user: string, to: string): Command {
  const open = ledger.streamsOf(user)
  const [id, { next }] = open.length > 0 ? random.pick(open) : ['\u0001'.repeat(16), { next: 1 }]
  return orders.send(next, `text ${ledger.index}`, to, user, Buffer.from(id, 'latin1'))
}
