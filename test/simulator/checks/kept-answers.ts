// C2 for repeated sends: whether the answer to an old seq is still known follows from the log
// alone, not from how far a replica has applied it.

import { KIND } from '../../../protocol/entries/entry.js'
import { ERRORS } from '../../../protocol/errors.js'
import { KEPT_ANSWERS } from '../../../protocol/state/answer-ring.js'
import type { History } from '../history.js'
import { expect } from '../violation.js'
import type { Commands } from './commands.js'
import { hex, type ClientLedger } from './ledger.js'

const OLD = ERRORS.OLD_DUPLICATE.code
const OF_BEFORE: readonly number[] = [0, ERRORS.CONFLICT.code, OLD]

export function checkKeptAnswers(history: History, ledger: ClientLedger, commands: Commands): void {
  history.onCommit(({ index, entry, meta }) => {
    const { kind, answer } = meta!
    if (kind !== KIND.noop || !OF_BEFORE.includes(answer)) return
    const command = commands.of(entry!)
    if (command?.kind !== 'send') return
    const { stream, seq } = command
    const next = ledger.streams.get(hex(stream))?.next ?? 0
    if (seq >= next) return
    const old = seq < next - KEPT_ANSWERS
    expect((answer === OLD) === old, 'C2', () => {
      return `entry ${index} answers ${seq} of a stream at ${next} by ${answer}; ${KEPT_ANSWERS} are kept`
    })
  })
}
