// Builds the committed state from the records of a snapshot, a part at a time.

import { idOf } from '../bytes.js'
import { fromBase64url, readJson } from '../entries/json-body.js'
import type { Origin } from '../entries/origin.js'
import { decodeRetention } from '../entries/retention.js'
import { decodeAccount } from '../state/account.js'
import { KEPT_ANSWERS } from '../state/answer-ring.js'
import { EndedStreams } from '../state/ended-streams.js'
import { Ledger } from '../state/ledger.js'
import { RECORD, pageOfKey, ringOfKey } from '../state/record-key.js'
import { Unpacker } from './packed.js'
import { SNAPSHOT_FORMAT, type LoadedPart, type SnapshotHead } from './record.js'

export class SnapshotLoader {
  readonly #origin: Origin
  readonly #ledger = new Ledger()
  loaded = 0

  constructor(origin: Origin) {
    this.#origin = origin
  }

  /**
   * The state, once the last part is there; null: more parts are needed. Throws if the parts are no
   * snapshot of this log that this version reads.
   */
  add({ records, head }: LoadedPart): Ledger | null {
    for (const { key, value } of records) put(this.#ledger, key, value)
    this.loaded += records.length
    return head ? this.#finish(head) : null
  }

  #finish(head: SnapshotHead): Ledger {
    const { format, clusterId, historyId, place, fence, termIndex } = head
    if (format !== SNAPSHOT_FORMAT)
      throw new RangeError(
        `it has format ${format}, and this version of Troca reads ${SNAPSHOT_FORMAT}: the state is built from the log`,
      )
    if (clusterId !== this.#origin.clusterId)
      throw new RangeError(`it is of cluster ${clusterId}, not of ${this.#origin.clusterId}`)
    if (historyId !== this.#origin.historyId)
      throw new RangeError(`it is of history ${historyId}, not of ${this.#origin.historyId}`)
    return Object.assign(this.#ledger, { ...place, fence, termIndex })
  }
}

function put(ledger: Ledger, key: string, value: Uint8Array): void {
  const name = key.slice(1)
  switch (key[0]) {
    case RECORD.account:
      return ledger.putAccount(decodeAccount(name, value))
    case RECORD.blocked:
      return ledger.putBlocked(name, new Set(readJson(value) as string[]))
    case RECORD.closed:
      return ledger.endAccount(name, value)
    case RECORD.expired: {
      const packed = new Unpacker(value)
      const through = packed.number()
      const unread: { after: number; through: number }[] = []
      while (!packed.ended) unread.push({ after: packed.number(), through: packed.number() })
      return ledger.expiries.put(name, { through, unread })
    }
    case RECORD.retention:
      return ledger.putRetention(name, decodeRetention(value))
    case RECORD.invitation: {
      const [id, expires, by, used] = readJson(value) as [string, number, string, boolean]
      return ledger.putInvitation({ invitation: fromBase64url(id), expires, by, used }, 0)
    }
    case RECORD.marks: {
      const packed = new Unpacker(value)
      return ledger.marks.raise(name, { delivered: packed.number(), read: packed.number() })
    }
    case RECORD.stream: {
      const packed = new Unpacker(value)
      const [owner, token] = [packed.text(), packed.bytes()]
      const [next, used] = [packed.number(), packed.number()]
      return ledger.openStream(name, { owner, token, next, used })
    }
    case RECORD.ended:
      return putEnds(ledger, name, value)
    case RECORD.answers:
      return putAnswers(ledger, key, value)
    case RECORD.sent:
      return putSends(ledger, key, value)
    case RECORD.sizes:
      return putSizes(ledger, value)
    default:
      throw new RangeError(`no kind of record has the key ${JSON.stringify(key)}`)
  }
}

function putEnds(ledger: Ledger, user: string, value: Uint8Array): void {
  const packed = new Unpacker(value)
  const count = packed.number()
  const known: [string, number][] = []
  while (!packed.ended) known.push([idOf(packed.bytes()), packed.number()])
  const ended = new EndedStreams(count - known.length)
  for (const [id, next] of known) ended.add(id, next)
  ledger.streams.putEnds(user, ended)
}

/** A record may still hold the answer to a seq that the stream has forgotten since. */
function putAnswers(ledger: Ledger, key: string, value: Uint8Array): void {
  const stream = ledger.stream(ringOfKey(key).id)
  if (!stream) throw new RangeError('there are answers of a stream that is not there')
  for (const packed = new Unpacker(value); !packed.ended;) {
    const seq = packed.number()
    const [code, index, time] = [packed.number(), packed.number(), packed.number()]
    const answered = { code, index, time, digest: packed.bytes() }
    if (seq >= stream.next - KEPT_ANSWERS) stream.answers.put(seq, answered, stream.next)
  }
}

function putSends(ledger: Ledger, key: string, value: Uint8Array): void {
  const { name } = pageOfKey(key)
  for (const packed = new Unpacker(value); !packed.ended;) {
    const [stream, seq, to] = [packed.bytes(), packed.number(), packed.text()]
    const [index, time, code] = [packed.number(), packed.number(), packed.number()]
    ledger.sent.put(name, { stream, seq, to, index, time, code })
  }
}

function putSizes(ledger: Ledger, value: Uint8Array): void {
  for (const packed = new Unpacker(value); !packed.ended;) {
    const mailbox = packed.text()
    let index = 0
    for (let left = packed.number(); left > 0; left--) {
      index += packed.number()
      ledger.sizes.add(mailbox, index, packed.number())
    }
  }
}
