// The heartbeat among persistence replicas, with all that a proposer must know of a member.

import type { Slot } from '../slots.js'
import type { Leases } from '../persistence/lease.js'
import type { PersistenceContext } from '../persistence/context.js'

export function sayViewHeartbeat(
  context: PersistenceContext,
  leases: Leases,
  to: readonly Slot[],
): void {
  const { log, status } = context
  context.broadcast(to, {
    type: 'VIEW_HEARTBEAT',
    status,
    active: context.active && status !== 'outside',
    reaches: context.reached,
    last: log.last,
    committed: log.commit,
    oldestWrite: context.oldestWrite,
    writable: context.writable,
    term: log.fence.term,
    leaseWeight: leases.ownWeight,
    resign: leases.resign,
    urgent: context.urgent,
  })
}
