// Reports of a processing replica for people: the words of the debug port, and its gauges.

import { formatEpoch } from '../entries/epoch.js'
import type { Coordinator } from '../processing/coordinator.js'
import type { LogReplicas } from '../processing/log-replicas.js'
import type { Leadership } from '../processing/leadership.js'
import type { ProcessingContext } from '../processing/context.js'
import type { DebugWords } from '../machine/machine.js'
import type { Executor } from '../state/executor.js'
import type { Ledger } from '../state/ledger.js'

export function processingWords(
  context: ProcessingContext,
  logReplicas: LogReplicas,
  executor: Executor,
  leadership: Leadership,
): DebugWords {
  const lamport = (): number => logReplicas.get(logReplicas.home)?.heartbeat?.lamport ?? 0
  return {
    ring: { meaning: 'the election, and the coordinator', answer: () => leadership.describe() },
    log: {
      meaning: 'the committed log: how far it is applied',
      answer: () => {
        const { index, fence } = executor.base
        const { term, k } = fence
        return `applied: ${index}\nterm: ${term}\norder: ${k}`
      },
    },
    peer: {
      meaning: 'the other replicas, and when each was heard',
      answer: () => describePeers(context, logReplicas),
    },
    stat: {
      meaning: 'a short summary',
      answer: () => {
        const { role, newestTerm } = context
        return `role: ${role}\nterm: ${newestTerm}\napplied: ${executor.base.index}`
      },
    },
    view: {
      meaning: 'the view of the persistence replicas, as the home tells it',
      answer: () => describeHome(logReplicas),
    },
    turn: {
      meaning: 'the turn: persistence replicas answer this word',
      answer: () => 'only persistence replicas hold the turn: ask one of them',
    },
    clock: {
      meaning: 'the Lamport clock of the home, a persistence replica',
      answer: () => `${lamport()}, of the home`,
    },
  }
}

/** The view, as the home's last heartbeat described it. */
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

/** Gauges of what a replica keeps in memory: each has a bound (docs/ARCHITECTURE.md). */
export function stateMetrics(executor: Executor) {
  const { base } = executor
  return {
    troca_accounts: base.accounts.size,
    troca_streams: base.streams.size,
    troca_stream_answer_bytes: base.streams.answerBytes,
    troca_ended_streams_users: base.streams.endedSize,
    troca_names_ended: base.endedNames,
    troca_invitations: base.invitations,
    troca_block_lists: base.blockLists,
    troca_retention_wishes: base.retentions,
    troca_mailboxes_expired: base.expiries.size,
    troca_marks: base.marks.size,
    troca_sends_kept: base.sent.size,
    troca_mailbox_messages: base.sizes.size,
    troca_overlay_values: executor.ahead,
    troca_orders_held: executor.heldOrders,
  }
}

export function ringMetrics(
  context: ProcessingContext,
  logReplicas: LogReplicas,
  base: Ledger,
  coordinator: Coordinator,
  leadership: Leadership,
) {
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
    troca_ring_live: context.live.length,
    troca_clock_lead_seconds: context.clocks.lead / 1_000,
  }
}
