// What a processing replica tells people: the words of the debug port, and its gauges.

import { formatEpoch } from '../entries/epoch.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { LogReplicas } from '../processing/log-replicas.js'
import type { ProcessingMetrics } from '../machine/metrics.js'
import type { Leadership } from '../processing/leadership.js'
import type { ProcessingContext } from '../processing/context.js'
import type { Ledger } from '../state/ledger.js'

/** The answer to one word, as lines; undefined: not a word of this tier. */
export function describeProcessing(
  word: string,
  context: ProcessingContext,
  logReplicas: LogReplicas,
  base: Ledger,
  leadership: Leadership,
): string | undefined {
  switch (word) {
    case 'ring':
      return leadership.describe()
    case 'log': {
      const { term, k, part, parts } = base.fence
      return `applied: ${base.index}\nterm: ${term}\norder: ${k} (${part} of ${parts})`
    }
    case 'peer':
      return describePeers(context, logReplicas)
    case 'stat':
      return `role: ${context.role}\nterm: ${context.newestTerm}\napplied: ${base.index}`
    case 'view':
      return describeHome(logReplicas)
    case 'turn':
      return 'the turn goes round among the persistence replicas: ask one of them'
    case 'clok':
      return `${logReplicas.get(logReplicas.home)?.heartbeat?.lamport ?? 0}, of the persistence home`
    default:
      return undefined
  }
}

/** The view as the home has told it. */
function describeHome(logReplicas: LogReplicas): string {
  const { home } = logReplicas
  const heartbeat = logReplicas.get(home)?.heartbeat
  if (!heartbeat) return 'home: -'
  const { status, epoch, members } = heartbeat
  return [
    `home: s${home}`,
    `status: ${status}`,
    `epoch: ${formatEpoch(epoch)}`,
    `members: ${members.map((slot) => `s${slot}`).join(' ') || '-'}`,
  ].join('\n')
}

function describePeers({ peers, now }: ProcessingContext, logReplicas: LogReplicas): string {
  const age = (heard: number): string => `heard ${Math.round(now.monotonic - heard)} ms ago`
  const ring = [...peers].map(
    ([slot, { heard, heartbeat }]) => `p${slot}\t${age(heard)}\t${heartbeat?.role ?? '?'}`,
  )
  const below = logReplicas.linked.map((slot) => {
    const { heard, heartbeat } = logReplicas.get(slot)!
    const mark = slot === logReplicas.home ? '\thome' : ''
    return `s${slot}\t${age(heard)}\t${heartbeat?.status ?? 'no link'}${mark}`
  })
  return [...ring, ...below].join('\n') || 'no links'
}

export function ringMetrics(
  context: ProcessingContext,
  logReplicas: LogReplicas,
  base: Ledger,
  coordinator: Coordinator,
  leadership: Leadership,
): Omit<ProcessingMetrics, 'troca_requests_pending' | 'troca_sessions' | 'troca_listeners'> {
  const committed = logReplicas.get(logReplicas.home)?.heartbeat?.committed ?? 0
  const { orders, commands, oneOfOne, divergences } = coordinator.metrics
  return {
    troca_has_coordinator: leadership.coordinator === 0 ? 0 : 1,
    troca_is_coordinator: context.role === 'coordinator' ? 1 : 0,
    troca_term: context.newestTerm,
    troca_applied_index: base.index,
    troca_applied_lag_entries: Math.max(0, committed - base.index),
    troca_elections_total: leadership.elections,
    troca_orders_total: orders,
    troca_commands_total: commands,
    troca_orders_one_of_one_total: oneOfOne,
    troca_divergences_total: divergences,
    troca_orders_in_flight: coordinator.inFlight,
    troca_commands_queued: coordinator.queued,
    troca_commands_queued_bytes: coordinator.queuedBytes,
    troca_accounts: base.accounts.size,
    troca_streams: base.streams.size,
    troca_ring_live: context.live.length,
  }
}
