// The timeline of one send: the traces of all daemons, cut at each SEND that the coordinator gets.
// What happens in most of the sends is a row, with its time since that SEND.

import type { TraceEvent } from '../../daemons/runtime/trace.js'
import { quantile } from './statistics.js'

export interface Row {
  /** µs since the SEND: median, and nine of ten sends are not later. */
  readonly medianUs: number
  readonly p90Us: number
  readonly replica: string
  readonly what: TraceEvent['what']
  readonly of: string
  readonly peer: string
  /** Median duration of a step in µs. */
  readonly tookUs: number
  /** Share of the sends in which this happened. */
  readonly share: number
}

/** What fewer sends have is chance, as signs of life are. */
const LEAST_SHARE = 0.5

/** The replica that got the SENDs. */
export function coordinatorOf(traces: ReadonlyMap<string, readonly TraceEvent[]>): string {
  const sends = (events: readonly TraceEvent[]): number => events.filter(isSend).length
  const [first] = [...traces].sort(([, a], [, b]) => sends(b) - sends(a))
  if (!first || sends(first[1]) === 0) throw new Error('no daemon has got a SEND')
  return first[0]
}

function isSend({ what, of, peer }: TraceEvent): boolean {
  return what === 'step' && of === 'SEND' && peer === 'client'
}

interface Occurrence {
  readonly row: Omit<Row, 'medianUs' | 'p90Us' | 'tookUs' | 'share'>
  readonly times: number[]
  readonly took: number[]
}

/** Rows of the last `count` sends but one: the last send has no next one to end it. */
export function timeline(
  traces: ReadonlyMap<string, readonly TraceEvent[]>,
  count: number,
): { readonly rows: Row[]; readonly sends: number } {
  const sent = traces.get(coordinatorOf(traces))!.filter(isSend)
  const starts = sent.map(({ us }) => us).slice(-count - 1)
  const sends = starts.length - 1
  const found = new Map<string, Occurrence>()
  for (const [replica, events] of traces) {
    let send = 0
    let seen = new Map<string, number>()
    for (const { us, what, of, peer, took } of events.toSorted((a, b) => a.us - b.us)) {
      if (us < starts[0]! || us >= starts.at(-1)! || of === 'tick') continue
      while (us >= starts[send + 1]!) {
        send++
        seen = new Map()
      }
      const kind = [replica, what, of, peer].join(' ')
      // The second of a kind in one send is a row of its own.
      const nth = (seen.get(kind) ?? 0) + 1
      seen.set(kind, nth)
      const key = `${kind} ${nth}`
      const one = found.get(key) ?? { row: { replica, what, of, peer }, times: [], took: [] }
      found.set(key, one)
      one.times.push(us - starts[send]!)
      one.took.push(took)
    }
  }
  const rows = [...found.values()].map(({ row, times, took }) => ({
    ...row,
    medianUs: quantile(times, 0.5),
    p90Us: quantile(times, 0.9),
    tookUs: quantile(took, 0.5),
    share: times.length / sends,
  }))
  const usual = rows.filter(({ share }) => share >= LEAST_SHARE)
  return { rows: usual.sort((a, b) => a.medianUs - b.medianUs), sends }
}
