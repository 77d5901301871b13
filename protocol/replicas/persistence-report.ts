// Reports of a persistence replica for people: the words of the debug port, and its gauges.

import { formatEpoch } from '../entries/epoch.js'
import type { DebugWords } from '../machine/machine.js'
import type { PersistenceMetrics } from '../machine/metrics.js'
import type { Appender } from '../persistence/appender.js'
import type { Slot } from '../slots.js'
import type { ViewChange } from '../view/change.js'
import type { PersistenceContext } from '../persistence/context.js'

const names = (slots: readonly Slot[]): string => slots.map((slot) => `s${slot}`).join(' ') || '-'

export function persistenceWords(
  context: PersistenceContext,
  appender: Appender,
  view: ViewChange,
): DebugWords {
  const { log } = context
  return {
    turn: {
      meaning: 'the turn to append: whether it is held here, and which replicas want it',
      answer: () => describeTurn(context, appender),
    },
    view: {
      meaning: 'the view that is installed, and what is promised',
      answer: () =>
        [
          `status: ${context.status}`,
          `epoch: ${formatEpoch(context.epoch)}`,
          `members: ${names(context.memberSlots)}`,
          `promised: ${formatEpoch(context.promised)}`,
          `incarnation: ${context.incarnation.counter}`,
          `proposing: ${view.proposing}`,
        ].join('\n'),
    },
    clock: { meaning: 'the Lamport clock', answer: () => `${context.clock.now}` },
    log: { meaning: 'the end of the log', answer: () => describeLog(context) },
    peer: {
      meaning: 'the other replicas, and when each was heard',
      answer: () => describePeers(context),
    },
    stat: {
      meaning: 'a short summary',
      answer: () => `status: ${context.status}\nlast: ${log.last}\ncommitted: ${log.commit}`,
    },
    ring: { meaning: 'the newest term, and its owner', answer: () => describeRing(context) },
  }
}

function describeTurn(context: PersistenceContext, { turn, queue }: Appender): string {
  const holding = context.serving && turn.holding
  return [
    holding ? 'holding' : turn.wanting ? 'wanting' : 'idle',
    `missing permissions: ${names(turn.missing)}`,
    `awaited: ${turn.awaited ? 'yes' : 'no'}`,
    `waiting: ${queue.waiting}`,
    `unanswered: ${queue.unanswered}`,
  ].join('\n')
}

function describeLog({ log }: PersistenceContext): string {
  const { term, k } = log.fence
  return [
    `last: ${log.last}`,
    `durable: ${log.durable}`,
    `committed: ${log.commit}`,
    `term: ${term}`,
    `order: ${k}`,
    `chain: ${Buffer.from(log.chain).toString('hex')}`,
  ].join('\n')
}

/** Processing replicas form the ring; the log knows only the owner of its newest term. */
function describeRing({ log }: PersistenceContext): string {
  const { term, owner } = log.committedFence
  return `newest term: ${term}\nowner: ${owner ? `p${owner.slot}` : '-'}`
}

function describePeers({ peers, now }: PersistenceContext): string {
  const rows = [...peers].map(([slot, { heard, heartbeat }]) => {
    const age = Math.round(now.monotonic - heard)
    const said = heartbeat ? `${heartbeat.status}\tlast ${heartbeat.last}` : 'not heard yet'
    return `s${slot}\theard ${age} ms ago\t${said}`
  })
  return rows.join('\n') || 'no links'
}

export function persistenceMetrics(
  context: PersistenceContext,
  { turn, queue }: Appender,
  { installation, proposals }: ViewChange,
  followers: number,
): PersistenceMetrics {
  const { log } = context
  const elsewhere = [...context.peers.values()].map(({ heartbeat }) => heartbeat?.committed ?? 0)
  return {
    troca_log_last_index: log.last,
    troca_log_memory_bytes: log.bytes,
    troca_log_durable_index: log.durable,
    troca_log_commit_index: log.commit,
    troca_log_lag_entries: Math.max(0, ...elsewhere.map((commit) => commit - log.commit)),
    troca_lamport_clock: context.clock.now,
    troca_view_epoch: context.epoch.counter,
    troca_view_members: context.view.members.length,
    troca_view_normal: context.status === 'normal' ? 1 : 0,
    troca_view_changes_total: installation.count,
    troca_view_proposals_total: proposals,
    troca_turn_holding: context.serving && turn.holding ? 1 : 0,
    troca_writers_waiting: queue.waiting,
    troca_writers_unanswered: queue.unanswered,
    troca_peers_reached: context.reached.length,
    troca_feed_followers: followers,
    troca_newest_term: log.fence.term,
  }
}
