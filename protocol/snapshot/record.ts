// A snapshot is the committed state of a processing replica at one place of the log, as records: a
// cache of the log, never an authority. A record is a function of the state alone, so that equal
// states have equal records (G1).

import { writeJson, toBase64url } from '../entries/json-body.js'
import { encodeRetention, keepsAll } from '../entries/retention.js'
import type { Fence } from '../entries/fence.js'
import type { Origin } from '../entries/origin.js'
import type { Place } from '../entries/place.js'
import { encodeAccount } from '../state/account.js'
import type { Ledger } from '../state/ledger.js'
import { RECORD, pageOfKey, ringOfKey, ringPlaceOf } from '../state/record-key.js'
import { Packer } from './packed.js'

/**
 * Raised with every change of what records hold, or of what execution makes of an entry: a snapshot
 * of another format is built anew from the log.
 */
export const SNAPSHOT_FORMAT = 2

export interface StateRecord {
  readonly key: string
  /** null: there is no such record any more. */
  readonly value: Uint8Array | null
}

/** What a snapshot is of: the state at `place`, with the parts of it that are no records. */
export interface SnapshotHead extends Origin {
  readonly format: number
  readonly place: Place
  readonly fence: Fence
  readonly termIndex: number
}

/** The parts of a save make one transaction, which ends with the part that has a head. */
export interface SnapshotPart {
  /** All records of before are removed first. */
  readonly clear: boolean
  readonly records: readonly StateRecord[]
  readonly head: SnapshotHead | null
}

/** Records of a snapshot, in the order of their keys. */
export interface LoadedPart {
  readonly records: readonly (StateRecord & { readonly value: Uint8Array })[]
  /** null: more records follow. */
  readonly head: SnapshotHead | null
}

export function headOf(ledger: Ledger, { clusterId, historyId }: Origin): SnapshotHead {
  const { index, chain, fence, termIndex } = ledger
  const origin = { clusterId, historyId }
  return { format: SNAPSHOT_FORMAT, ...origin, place: { index, chain }, fence, termIndex }
}

export function recordOf(ledger: Ledger, key: string): StateRecord {
  return { key, value: valueOf(ledger, key) }
}

function valueOf(ledger: Ledger, key: string): Uint8Array | null {
  const name = key.slice(1)
  switch (key[0]) {
    case RECORD.account: {
      const account = ledger.account(name)
      return account ? encodeAccount(account) : null
    }
    case RECORD.blocked: {
      const blocked = ledger.blocked(name)
      return blocked.size > 0 ? writeJson([...blocked].sort()) : null
    }
    case RECORD.closed:
      return ledger.closing(name) ?? null
    case RECORD.expired: {
      const { through, unread } = ledger.expiries.of(name)
      if (through === 0) return null
      const packer = new Packer().number(through)
      for (const one of unread) packer.number(one.after).number(one.through)
      return packer.done()
    }
    case RECORD.retention: {
      const wish = ledger.retention(name)
      return keepsAll(wish) ? null : encodeRetention(wish)
    }
    case RECORD.invitation: {
      const invited = ledger.invitation(name)
      if (!invited) return null
      const { invitation, expires, by, used } = invited
      return writeJson([toBase64url(invitation), expires, by, used])
    }
    case RECORD.marks: {
      const { delivered, read } = ledger.marks.of(name)
      return new Packer().number(delivered).number(read).done()
    }
    case RECORD.stream: {
      const stream = ledger.stream(name)
      if (!stream) return null
      const { owner, token, next, used } = stream
      return new Packer().text(owner).bytes(token).number(next).number(used).done()
    }
    case RECORD.ended:
      return ends(ledger, name)
    case RECORD.answers:
      return answers(ledger, key)
    case RECORD.sent:
      return sends(ledger, key)
    case RECORD.sizes:
      return sizes(ledger, key)
    default:
      throw new RangeError(`record: no kind has the key ${key}`)
  }
}

function ends(ledger: Ledger, user: string): Uint8Array | null {
  const ended = ledger.streams.ends(user)
  if (!ended) return null
  const packer = new Packer().number(ended.count)
  for (const [id, next] of ended) packer.bytes(Buffer.from(id, 'latin1')).number(next)
  return packer.done()
}

function answers(ledger: Ledger, key: string): Uint8Array | null {
  const { id, place } = ringOfKey(key)
  const stream = ledger.stream(id)
  if (!stream) return null
  const packer = new Packer()
  let some = false
  for (const seq of stream.answers.seqs(stream.next)) {
    if (ringPlaceOf(seq) !== place) continue
    const { digest, code, index, time } = ledger.answered(id, seq)!
    packer.number(seq).number(code).number(index).number(time).bytes(digest)
    some = true
  }
  return some ? packer.done() : null
}

function sends(ledger: Ledger, key: string): Uint8Array | null {
  const { name, page } = pageOfKey(key)
  const found = ledger.sent.page(name, page)
  const packer = new Packer()
  for (const { stream, seq, to, index, time, code } of found)
    packer.bytes(stream).number(seq).text(to).number(index).number(time).number(code)
  return found.length > 0 ? packer.done() : null
}

function sizes(ledger: Ledger, key: string): Uint8Array | null {
  const { name: bucket, page } = pageOfKey(key)
  const packer = new Packer()
  let some = false
  for (const [mailbox, messages] of ledger.sizes.page(Number(bucket), page)) {
    packer.text(mailbox).number(messages.length)
    let last = 0
    for (const [index, bytes] of messages) {
      packer.number(index - last).number(bytes)
      last = index
    }
    some = true
  }
  return some ? packer.done() : null
}
