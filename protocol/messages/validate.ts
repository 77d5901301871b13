// Validates messages between replicas that are well-formed: entries that cannot be read, a range
// that ends before it begins. Such a frame is an error of its sender: the link is closed, and
// nothing of the frame is used. A false statement without contradiction passes.

import {
  bodiesMatch,
  checkBodies,
  countOf,
  decodeHead,
  entriesOf,
  hasKind,
  isAll,
  lastOf,
  type Batch,
  type Listed,
} from '../entries/batch.js'
import { decodeDrop } from '../entries/drop.js'
import { KIND, decodeMeta, type Entry } from '../entries/entry.js'
import { decodeTerm } from '../entries/fence.js'
import { decodeMarks } from '../entries/marks.js'
import { MAX_GROUP } from '../schema/shared.js'
import { checkEntry } from '../state/commands/registry.js'
import type { Slot } from '../slots.js'
import type { Message, The } from './catalogue.js'

const NO_BYTES = new Uint8Array(0)

/** Thrown and caught in this file. */
class Invalid extends Error {}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Invalid(what)
}

/** Decodes the bodies that the log itself reads, and those of marks. */
function checkBody({ index, meta, body }: Pick<Entry, 'index' | 'meta' | 'body'>): void {
  const { kind } = meta
  if (kind === KIND.term) decodeTerm(body)
  else if (kind === KIND.drop || kind === KIND.expired) decodeDrop({ index, meta, body })
  else if (kind === KIND.marks) decodeMarks(body)
}

/**
 * Only marks are outside a term; a TERM is order 0 of its own term, and all other orders count from
 * 1. TERM and marks are alone in their batches.
 */
function checkPlace(kind: number, term: number, k: number, count: number): void {
  const marks = kind === KIND.marks
  const alone = marks || kind === KIND.term
  expect(marks === (term === 0), `an entry of kind ${kind} in term ${term}`)
  expect(alone === (k === 0), `an entry of kind ${kind} in order ${k}`)
  expect(!alone || count === 1, `an entry of kind ${kind} among ${count}`)
}

function checkBatch(batch: Listed): void {
  expect(countOf(batch) <= MAX_GROUP, `a batch of ${countOf(batch)} entries`)
  checkBodies(batch)
  const { entries } = decodeHead(batch.head)
  for (const { meta } of entries) checkPlace(meta.kind, batch.term, batch.k, entries.length)
  if (!hasKind(batch, KIND.term, KIND.drop, KIND.expired, KIND.marks)) return
  for (const entry of entriesOf(batch)) checkBody(entry)
}

/** In the log, an unreadable entry would keep every replica from the entries behind it. */
function checkExecutable(batch: Listed): void {
  if (isAll(batch, KIND.message)) return
  for (const { meta, body } of entriesOf(batch)) checkEntry(meta, body)
}

/** `clock`: the sender's, which is not below any stamp of its log. */
function checkBatches(batches: readonly Batch[], after?: number, clock = Infinity): void {
  let last = after ?? (batches[0]?.first ?? 1) - 1
  let stamp = 0
  for (const batch of batches) {
    expect(batch.first === last + 1, 'batches out of order')
    expect(batch.lamport <= clock, `a batch stamped ${batch.lamport} by a clock at ${clock}`)
    expect(batch.lamport > stamp, 'stamps that do not grow')
    checkBatch(batch)
    last = lastOf(batch)
    stamp = batch.lamport
  }
}

function checkAppend({ term, k, time, head, bodies }: The<'APPEND'>): void {
  const contents = { first: 1, term, k, time, head, bodies, absent: NO_BYTES }
  checkBatch(contents)
  // A body that is not its head's would break the chain at every member.
  expect(bodiesMatch(contents), 'bodies that are not those of the head')
  checkExecutable(contents)
  expect(!hasKind(contents, KIND.term), 'a TERM is made by a CLAIM alone')
}

function check(message: Message, from: Slot): void {
  switch (message.type) {
    case 'APPEND':
      return checkAppend(message)
    case 'BATCHES':
      checkBatches(message.batches)
      return message.batches.forEach(checkExecutable)
    case 'READ_PAGE':
      return expect(
        message.messages.every(({ meta }) => decodeMeta(meta).kind === KIND.message),
        'a page with an entry that is no message',
      )
    case 'REPLICATE':
      return checkBatches(message.batches, message.previous.index, message.clock)
    case 'PULLED':
      return checkBatches(message.batches, message.common?.index, message.clock)
    case 'PROMISE':
    case 'INSTALL':
      return expect(message.commit <= message.last.index, 'a commit beyond the end of its log')
    case 'FORWARD':
      return expect(
        message.commands.every(({ origin }) => origin.slot === from),
        "another replica's command",
      )
    case 'ORDER':
      return expect(message.term > 0 && message.k > 0 && message.attempt > 0, 'order 0')
    default:
  }
}

/** Why the message is invalid; null: it is valid. */
export function whyInvalid(message: Message, from: Slot): string | null {
  try {
    check(message, from)
    return null
  } catch (error) {
    // Other errors come from parsing bodies; the text that they quote must not get into a log.
    const told = error instanceof Invalid || error instanceof RangeError
    return told ? error.message : 'a body that cannot be read'
  }
}
