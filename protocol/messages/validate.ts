// Validates messages between replicas that are well-formed: entries that cannot be read, a range
// that ends before it begins. Such a frame is an error of its sender: the link is closed, and
// nothing of the frame is used. A false statement without contradiction passes.

import { decodeDrop } from '../entries/drop.js'
import { KIND, decodeMeta, type Draft, type Entry, type Meta } from '../entries/entry.js'
import { decodeTerm } from '../entries/fence.js'
import { decodeMarks } from '../entries/marks.js'
import { checkEntry } from '../state/commands/registry.js'
import type { Slot } from '../slots.js'
import type { Message, The } from './catalogue.js'

/** Thrown and caught in this file. */
class Invalid extends Error {}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Invalid(what)
}

/** Decodes the bodies that the log itself reads, and those of marks. */
function checkBody({ kind }: Meta, { meta, body }: Draft, index = 0): void {
  if (kind === KIND.term) decodeTerm(body)
  else if (kind === KIND.drop) decodeDrop({ index, meta, body })
  else if (kind === KIND.cursors) decodeMarks(body)
}

/**
 * Only marks are outside a term; a TERM is order 0 of its own term, and all other orders count from
 * 1.
 */
function checkPlace(kind: number, term: number, k: number, part: number, parts: number): void {
  const outside = kind === KIND.cursors
  expect(outside === (term === 0), `an entry of kind ${kind} in term ${term}`)
  expect((outside || kind === KIND.term) === (k === 0), `an entry of kind ${kind} in order ${k}`)
  expect(part >= 1 && part <= parts, `part ${part} of ${parts}`)
}

/** `clock`: the sender's, which is not below any stamp of its log. */
function checkEntries(entries: readonly Entry[], clock = Infinity): void {
  for (const [i, entry] of entries.entries()) {
    const { index, term, k, part, parts, lamport, bodyHash } = entry
    const meta = decodeMeta(entry.meta)
    if (!bodyHash) checkBody(meta, entry, index)
    else expect(meta.kind === KIND.message, 'only the body of a message is erased')
    checkPlace(meta.kind, term, k, part, parts)
    expect(lamport <= clock, `an entry stamped ${lamport} by a clock at ${clock}`)
    const before = entries[i - 1]
    if (before) expect(lamport > before.lamport, 'stamps that do not grow')
  }
}

function checkGapless(entries: readonly Entry[], after: number | undefined): void {
  const first = (after ?? entries[0]?.index ?? 1) + (after === undefined ? 0 : 1)
  expect(
    entries.every(({ index }, i) => index === first + i),
    'entries out of order',
  )
}

function checkAppend({ term, k, drafts }: The<'APPEND'>): void {
  for (const draft of drafts) {
    const meta = decodeMeta(draft.meta)
    checkBody(meta, draft)
    // In the log, an unreadable entry would keep every replica from the entries behind it.
    checkEntry(meta, draft.body)
    expect(meta.kind !== KIND.term, 'a TERM is made by a CLAIM alone')
    checkPlace(meta.kind, term, k, 1, drafts.length)
  }
}

function check(message: Message, from: Slot): void {
  switch (message.type) {
    case 'APPEND':
      return checkAppend(message)
    case 'ENTRIES':
      checkGapless(message.entries, undefined)
      expect(message.bodyBytes.length === message.entries.length, 'body sizes of other entries')
      checkEntries(message.entries)
      for (const { meta, body } of message.entries) checkEntry(decodeMeta(meta), body)
      return
    case 'READ_PAGE':
      return expect(
        message.entries.every(({ meta }) => decodeMeta(meta).kind === KIND.message),
        'a page with an entry that is no message',
      )
    case 'REPLICATE':
      checkGapless(message.entries, message.previous.index)
      return checkEntries(message.entries, message.clock)
    case 'PULLED':
      checkGapless(message.entries, message.common?.index)
      return checkEntries(message.entries, message.clock)
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
