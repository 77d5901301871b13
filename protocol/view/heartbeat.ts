// The sign of life among persistence replicas, with all that a proposer must know of a member.

import type { Slot } from '../slots.js'
import type { Leases } from '../persistence/lease.js'
import type { Standing } from '../persistence/context.js'

export function sayViewHeartbeat(standing: Standing, leases: Leases, to: readonly Slot[]): void {
  const { log, status } = standing
  standing.broadcast(to, {
    type: 'VIEW_HEARTBEAT',
    status,
    active: standing.active && status !== 'outside',
    reaches: standing.reached,
    last: log.last,
    committed: log.commit,
    oldestWrite: standing.oldestWrite,
    writable: standing.writable,
    term: log.fence.term,
    leaseSize: leases.ownSize,
    resign: leases.resign,
  })
}
