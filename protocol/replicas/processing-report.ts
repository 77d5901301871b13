// What a processing replica tells people: the words of the debug port, and its gauges.

import { formatEpoch } from '../entries/epoch.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { Home } from '../processing/log-client.js'
import type { ProcessingMetrics } from '../machine/metrics.js'
import type { Leadership } from '../processing/leadership.js'
import type { RingStanding } from '../processing/context.js'
import type { Committed } from '../state/ledger.js'

/** The answer to one word, as lines; undefined: not a word of this tier. */
export function describeProcessing(
  word: string,
  standing: RingStanding,
  home: Home,
  base: Committed,
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
      return describePeers(standing, home)
    case 'stat':
      return `role: ${standing.role}\nterm: ${standing.newestTerm}\napplied: ${base.index}`
    case 'view':
      return describeHome(home)
    case 'turn':
      return 'the turn goes round among the persistence replicas: ask one of them'
    case 'clok':
      return `${home.stores.get(home.home)?.heartbeat?.lamport ?? 0}, of the persistence home`
    default:
      return undefined
  }
}

/** The view as the home has told it. */
function describeHome({ stores, home }: Home): string {
  const heartbeat = stores.get(home)?.heartbeat
  if (!heartbeat) return 'home: -'
  const { status, epoch, members } = heartbeat
  return [
    `home: s${home}`,
    `status: ${status}`,
    `epoch: ${formatEpoch(epoch)}`,
    `members: ${members.map((slot) => `s${slot}`).join(' ') || '-'}`,
  ].join('\n')
}

function describePeers({ peers, now }: RingStanding, { stores, home }: Home): string {
  const age = (heard: number): string => `heard ${Math.round(now.monotonic - heard)} ms ago`
  const ring = [...peers].map(
    ([slot, { heard, heartbeat }]) => `p${slot}\t${age(heard)}\t${heartbeat?.role ?? '?'}`,
  )
  const below = stores.linked.map((slot) => {
    const { heard, heartbeat } = stores.at(slot)
    const mark = slot === home ? '\thome' : ''
    return `s${slot}\t${age(heard)}\t${heartbeat?.status ?? 'no link'}${mark}`
  })
  return [...ring, ...below].join('\n') || 'no links'
}

export function ringMetrics(
  standing: RingStanding,
  home: Home,
  base: Committed,
  coordinator: Coordinator,
  leadership: Leadership,
): Omit<ProcessingMetrics, 'troca_requests_pending' | 'troca_sessions' | 'troca_listeners'> {
  const committed = home.stores.get(home.home)?.heartbeat?.committed ?? 0
  const { orders, commands, oneOfOne, divergences } = coordinator.metrics
  return {
    troca_has_coordinator: leadership.coordinator === 0 ? 0 : 1,
    troca_is_coordinator: standing.role === 'coordinator' ? 1 : 0,
    troca_term: standing.newestTerm,
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
    troca_ring_live: standing.live.length,
  }
}
