// What one processing replica knows of the whole cluster, from heartbeats.

import type { The } from '../messages/catalogue.js'
import type { Executor } from '../state/executor.js'
import type { Home } from '../processing/log-client.js'
import type { RingStanding } from '../processing/context.js'

type Row = The<'STATUS_IS'>['replicas'][number]

export function clusterStatus(
  standing: RingStanding,
  home: Home,
  executor: Executor,
  coordinator: number,
  request: number,
): The<'STATUS_IS'> {
  const { slots, stores, newestTerm, clusterId } = standing
  const replicas: Row[] = []
  for (let slot = 1; slot <= slots; slot++) replicas.push(ringRow(standing, executor, slot))
  for (let slot = 1; slot <= stores; slot++) replicas.push(storeRow(standing, home, slot))
  const needed = Math.floor(stores / 2) + 1
  const ready = coordinator !== 0 && home.quorate
  return {
    type: 'STATUS_IS',
    ...{ request, clusterId, coordinator, replicas, needed, ready },
    term: newestTerm,
  }
}

function age(standing: RingStanding, heard: number): number {
  return Math.max(0, Math.round(standing.now.monotonic - heard))
}

function ringRow(standing: RingStanding, executor: Executor, slot: number): Row {
  const row = { tier: 'processing', slot, epochSlot: 0, lamport: 0 } as const
  if (slot === standing.self) {
    const { index } = executor.base
    const { role, newestTerm: term } = standing
    return { ...row, reachable: true, role, term, last: index, committed: index, age: 0 }
  }
  const peer = standing.peers.get(slot)
  const heartbeat = peer?.heartbeat
  if (!peer || !heartbeat) {
    return { ...row, reachable: false, role: '', term: 0, last: 0, committed: 0, age: 0 }
  }
  return {
    ...row,
    reachable: standing.hears(slot),
    role: heartbeat.role,
    term: heartbeat.newestTerm,
    last: heartbeat.applied,
    committed: heartbeat.committed,
    age: age(standing, peer.heard),
  }
}

function storeRow(standing: RingStanding, home: Home, slot: number): Row {
  const row = { tier: 'persistence', slot } as const
  const store = home.stores.get(slot)
  const heartbeat = store?.heartbeat
  if (!store || !heartbeat) {
    const unknown = { role: '', term: 0, epochSlot: 0, last: 0, committed: 0, lamport: 0, age: 0 }
    return { ...row, ...unknown, reachable: false }
  }
  const { status, epoch, last, committed, lamport } = heartbeat
  return {
    ...row,
    ...{ last, committed, lamport },
    reachable: home.stores.hears(slot),
    role: status,
    term: epoch.counter,
    epochSlot: epoch.slot,
    age: age(standing, store.heard),
  }
}
