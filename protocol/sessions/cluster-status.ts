// STATUS_IS: the state of the whole cluster as one processing replica knows it from heartbeats.

import type { The } from '../messages/catalogue.js'
import type { Slot } from '../slots.js'
import type { Executor } from '../state/executor.js'
import type { LogClient } from '../processing/log-client.js'
import type { LogReplicas } from '../processing/log-replicas.js'
import type { ProcessingContext } from '../processing/context.js'

type Row = The<'STATUS_IS'>['replicas'][number]

export function clusterStatus(
  context: ProcessingContext,
  log: LogClient,
  logReplicas: LogReplicas,
  executor: Executor,
  coordinator: Slot,
  request: number,
): The<'STATUS_IS'> {
  const { slots, stores, newestTerm, clusterId } = context
  const replicas: Row[] = []
  for (let slot = 1; slot <= slots; slot++) replicas.push(ringRow(context, executor, slot))
  for (let slot = 1; slot <= stores; slot++) replicas.push(storeRow(context, logReplicas, slot))
  const needed = Math.floor(stores / 2) + 1
  const ready = coordinator !== 0 && log.quorate
  return {
    type: 'STATUS_IS',
    ...{ request, clusterId, coordinator, replicas, needed, ready },
    term: newestTerm,
  }
}

function age(context: ProcessingContext, heard: number): number {
  return Math.max(0, Math.round(context.now.monotonic - heard))
}

function ringRow(context: ProcessingContext, executor: Executor, slot: number): Row {
  const row = { tier: 'processing', slot, epochSlot: 0, lamport: 0 } as const
  if (slot === context.self) {
    const { index } = executor.base
    const { role, newestTerm: term } = context
    return { ...row, reachable: true, role, term, last: index, committed: index, age: 0 }
  }
  const peer = context.peers.get(slot)
  const heartbeat = peer?.heartbeat
  if (!peer || !heartbeat) {
    return { ...row, reachable: false, role: '', term: 0, last: 0, committed: 0, age: 0 }
  }
  return {
    ...row,
    reachable: context.hears(slot),
    role: heartbeat.role,
    term: heartbeat.newestTerm,
    last: heartbeat.applied,
    committed: heartbeat.applied,
    age: age(context, peer.heard),
  }
}

function storeRow(context: ProcessingContext, logReplicas: LogReplicas, slot: number): Row {
  const row = { tier: 'persistence', slot } as const
  const store = logReplicas.get(slot)
  const heartbeat = store?.heartbeat
  if (!store || !heartbeat) {
    const unknown = { role: '', term: 0, epochSlot: 0, last: 0, committed: 0, lamport: 0, age: 0 }
    return { ...row, ...unknown, reachable: false }
  }
  const { status, epoch, last, committed, lamport } = heartbeat
  return {
    ...row,
    ...{ last, committed, lamport },
    reachable: logReplicas.hears(slot),
    role: status,
    term: epoch.counter,
    epochSlot: epoch.slot,
    age: age(context, store.heard),
  }
}
