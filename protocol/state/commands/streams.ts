// What a request finds under the id of a stream.

import { idOf } from '../../bytes.js'
import { ERRORS } from '../../errors.js'
import type { ExecutionContext } from '../decision.js'
import { KEPT_ENDS } from '../ended-streams.js'
import type { LedgerView, StreamView } from '../ledger-view.js'
import { isYetToCome } from '../stream-id.js'

type Found =
  | { readonly code: 0; readonly stream: StreamView }
  /**
   * NO_SUCH_STREAM: nothing was ever executed in it for this user. STREAM_CLOSED: `next` is the seq
   * that it would have executed next; 0: that is not remembered.
   */
  | { readonly code: number; readonly stream: null; readonly next: number }

/** The open stream of this user; or why there is none. `place`: of the command in its order. */
export function ownStream(
  ledger: LedgerView,
  user: string,
  id: Uint8Array,
  context: ExecutionContext,
  place: number,
): Found {
  const stream = ledger.stream(idOf(id))
  if (stream?.owner === user) return { code: 0, stream }
  const never = stream !== undefined || isYetToCome(id, context, place)
  if (never) return { code: ERRORS.NO_SUCH_STREAM.code, stream: null, next: 0 }
  const next = nextOfEnded(ledger, user, idOf(id))
  return { code: ERRORS.STREAM_CLOSED.code, stream: null, next }
}

/** The number of an end decides, not what is still in memory: that depends on the feed (C2). */
function nextOfEnded(ledger: LedgerView, user: string, id: string): number {
  const ended = ledger.endedStream(user, id)
  return ended && ended.number > ledger.endsOf(user) - KEPT_ENDS ? ended.next : 0
}
