// What a persistence replica tells people: the words of the debug port, and its gauges.

import { formatEpoch } from '../entries/epoch.js'
import type { PersistenceMetrics } from '../machine/metrics.js'
import type { Appender } from '../persistence/appender.js'
import type { Slot } from '../slots.js'
import type { ViewChange } from '../view/change.js'
import type { Standing } from '../persistence/context.js'

const names = (slots: readonly Slot[]): string => slots.map((slot) => `s${slot}`).join(' ') || '-'

/** The answer to one word, as lines; undefined: not a word of this tier. */
export function describePersistence(
  word: string,
  standing: Standing,
  appender: Appender,
  proposing: string,
): string | undefined {
  switch (word) {
    case 'turn':
      return describeTurn(standing, appender)
    case 'view':
      return [
        `status: ${standing.status}`,
        `epoch: ${formatEpoch(standing.epoch)}`,
        `members: ${names(standing.memberSlots)}`,
        `promised: ${formatEpoch(standing.promised)}`,
        `incarnation: ${standing.incarnation.counter}`,
        `proposing: ${proposing}`,
      ].join('\n')
    case 'clok':
      return `${standing.clock.now}`
    case 'log':
      return describeLog(standing)
    case 'peer':
      return describePeers(standing)
    case 'stat':
      return `status: ${standing.status}\nlast: ${standing.log.last}\ncommitted: ${standing.log.commit}`
    case 'ring':
      return describeRing(standing)
    default:
      return undefined
  }
}

function describeTurn(standing: Standing, { turn, writers }: Appender): string {
  const holding = standing.serving && turn.holding
  return [
    holding ? 'holding' : turn.wanting ? 'wanting' : 'idle',
    `missing permissions: ${names(turn.missing)}`,
    `awaited: ${turn.awaited ? 'yes' : 'no'}`,
    `waiting: ${writers.waiting}`,
    `unanswered: ${writers.unanswered}`,
  ].join('\n')
}

function describeLog({ log }: Standing): string {
  const { term, k, part, parts } = log.fence
  return [
    `last: ${log.last}`,
    `durable: ${log.durable}`,
    `committed: ${log.commit}`,
    `term: ${term}`,
    `order: ${k} (${part} of ${parts})`,
    `chain: ${Buffer.from(log.chain).toString('hex')}`,
  ].join('\n')
}

/** The ring is made by the processing replicas; the log knows who won it last. */
function describeRing({ log }: Standing): string {
  const { term, owner } = log.committedFence
  return `newest term: ${term}\nowner: ${owner ? `p${owner.slot}` : '-'}`
}

function describePeers({ peers, now }: Standing): string {
  const rows = [...peers].map(([slot, { heard, heartbeat }]) => {
    const age = Math.round(now.monotonic - heard)
    const said = heartbeat ? `${heartbeat.status}\tlast ${heartbeat.last}` : 'not heard yet'
    return `s${slot}\theard ${age} ms ago\t${said}`
  })
  return rows.join('\n') || 'no links'
}

export function persistenceMetrics(
  standing: Standing,
  { turn, writers }: Appender,
  { installation, proposals }: ViewChange,
  followers: number,
): PersistenceMetrics {
  const { log } = standing
  const elsewhere = [...standing.peers.values()].map(({ heartbeat }) => heartbeat?.committed ?? 0)
  return {
    troca_log_last_index: log.last,
    troca_log_durable_index: log.durable,
    troca_log_commit_index: log.commit,
    troca_log_lag_entries: Math.max(0, ...elsewhere.map((commit) => commit - log.commit)),
    troca_lamport_clock: standing.clock.now,
    troca_view_epoch: standing.epoch.counter,
    troca_view_members: standing.view.members.length,
    troca_view_normal: standing.status === 'normal' ? 1 : 0,
    troca_view_changes_total: installation.count,
    troca_view_proposals_total: proposals,
    troca_turn_holding: standing.serving && turn.holding ? 1 : 0,
    troca_writers_waiting: writers.waiting,
    troca_writers_unanswered: writers.unanswered,
    troca_peers_reached: standing.reached.length,
    troca_feed_followers: followers,
    troca_newest_term: log.fence.term,
  }
}
