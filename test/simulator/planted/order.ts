// Bugs of the total order: execution, votes, and the state under execution. C1 to C4, C7.

import type { Bug } from './bug.js'

const EXECUTOR = 'state/executor'
const COORDINATOR = 'processing/coordinator'

export const ORDER_BUGS: readonly Bug[] = [
  {
    name: 'votes are not compared',
    workload: 'whole',
    changes: [
      {
        file: COORDINATOR,
        line: 'const needed = Math.floor(voters.size / 2) + 1',
        becomes: 'const needed = 1',
      },
    ],
    caughtBy: ['C2', 'C4', 'C5', 'vote'],
  },
  {
    name: 'a vote says nothing of what an order came to',
    workload: 'whole',
    changes: [
      {
        file: EXECUTOR,
        line: 'return sha256(place, seed, head);',
        becomes: 'return sha256(place, seed);',
      },
    ],
    caughtBy: ['C2', 'C3', 'C4', 'C5', 'vote', 'halt'],
  },
  {
    name: 'a coordinator goes on with its own result in the minority',
    workload: 'whole',
    changes: [
      {
        file: COORDINATOR,
        line: "if (Buffer.from(own.hash).toString('hex') !== winner) {",
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['C2', 'C4', 'C5', 'vote'],
  },
  {
    name: 'a replica that voted otherwise keeps its state',
    workload: 'whole',
    changes: [
      {
        file: 'replicas/follower',
        line: "this.#context.outbox.log('error', 'outvoted', { term, k });\n        this.#recovery.rebuild();",
        becomes: "this.#context.outbox.log('error', 'outvoted', { term, k });",
      },
    ],
    caughtBy: ['C2', 'C3', 'C4', 'C5', 'C6', 'P7', 'halt', 'vote'],
  },
  {
    name: 'the base of an order is ignored',
    workload: 'whole',
    changes: [
      {
        file: EXECUTOR,
        line: 'if (!order || this.base.fence.term !== this.#term)',
        becomes: 'if (!order)',
      },
      { file: EXECUTOR, line: 'if (this.base.index < order.base)', becomes: 'if (false)' },
      {
        file: 'processing/leadership',
        line: "this.#context.role !== 'claimant' || this.#executor.base.index < won.index)",
        becomes: "this.#context.role !== 'claimant')",
      },
    ],
    caughtBy: ['C2', 'C3', 'C4', 'C5', 'C6', 'P7', 'halt', 'vote'],
  },
  {
    name: 'the overlay of an old term is kept',
    workload: 'whole',
    changes: [
      { file: EXECUTOR, line: 'this.#held.clear();\n        this.dropOverlay();', becomes: '' },
      { file: 'replicas/processing', line: 'executor.dropOverlay();', becomes: '' },
    ],
    caughtBy: ['C2', 'C3', 'C4', 'C5', 'C6', 'P7', 'halt', 'crash', 'vote', 'wire'],
  },
  {
    name: 'an order is tried again on the state of the first try',
    workload: 'whole',
    changes: [
      {
        file: COORDINATOR,
        line: 'this.#rebuild();\n        for (const [number, { order }]',
        becomes: 'for (const [number, { order }]',
      },
    ],
    caughtBy: ['C2', 'C3', 'C5', 'C6', 'P7', 'halt'],
  },
  {
    name: 'a result that the log has otherwise is kept',
    workload: 'whole',
    changes: [
      {
        file: 'replicas/follower',
        line: 'if (this.#executor.differs(batch))',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['vote', 'C2', 'C5', 'C6', 'P7', 'halt'],
  },
  {
    name: 'a gap in the feed is skipped',
    workload: 'whole',
    changes: [
      {
        file: 'replicas/follower',
        line: 'if (batch.first !== base.index + 1)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: [
      'C2',
      'C3',
      'C4',
      'C5',
      'C6',
      'P7',
      'read',
      'linearizable',
      'halt',
      'crash',
      'receipt',
      'vote',
    ],
  },
  {
    name: 'each replica takes the time from its own clock',
    workload: 'whole',
    changes: [
      {
        file: 'replicas/follower',
        line: 'this.#executor.hold(order);',
        becomes: 'this.#executor.hold({ ...order, time: this.#context.now.wall });',
      },
    ],
    caughtBy: ['vote', 'C6', 'P7'],
  },
  {
    name: 'the time of orders goes back with the clock',
    workload: 'whole',
    changes: [
      {
        file: COORDINATOR,
        line: 'this.#time = clocks.timeAfter(Math.max(this.#time, this.#executor.base.time));',
        becomes: 'this.#time = now.wall;',
      },
    ],
    caughtBy: ['time'],
  },
  {
    name: 'one clock that is ahead owns the time of orders',
    workload: 'whole',
    changes: [
      {
        file: 'processing/wall-clocks',
        line: 'Math.min(this.#ring.now.wall, this.#majority + GIVEN_LEAD_MS)',
        becomes: 'this.#ring.now.wall',
      },
      {
        file: 'replicas/follower',
        line: 'if (!clocks.allows(time, latest)) {',
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['time'],
  },
  {
    name: 'a follower votes for any time',
    workload: 'whole',
    changes: [
      {
        file: 'replicas/follower',
        line: 'if (!clocks.allows(time, latest)) {',
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['time'],
  },
  {
    name: 'a key seed is used again in the next attempt',
    workload: 'whole',
    changes: [
      {
        file: COORDINATOR,
        line: 'if (attempt > 1 || this.#keySeedLeft < commands',
        becomes: 'if (this.#keySeedLeft < commands',
      },
    ],
    caughtBy: ['seed'],
  },
  {
    name: 'a log query with no store to ask is never sent',
    workload: 'whole',
    changes: [
      { file: 'processing/log-queries', line: 'if (query.asked === 0)', becomes: 'if (false)' },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a log query that no store can answer is sent for seconds',
    workload: 'whole',
    changes: [
      { file: 'processing/log-queries', line: '(this.#replicas.anyQuorate ? 4 : 1)', becomes: '4' },
    ],
    caughtBy: ['P7'],
  },
  {
    name: 'stores that are not heard count as full',
    workload: 'whole',
    changes: [
      {
        file: 'processing/log-client',
        line: 'const { reached } = this;',
        becomes:
          'const reached = this.#replicas.slots.filter((slot) => this.#replicas.hears(slot));\n' +
          'if (reached.some((slot) => this.#replicas.isFull(slot)) && reached.length <= this.#context.stores / 2) return true;',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'an old answer is known for as long as it is in memory',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/sending',
        line: 'seq >= state.next - KEPT_ANSWERS ? ledger.answered(id, seq) : undefined',
        becomes: 'ledger.answered(id, seq)',
      },
    ],
    caughtBy: ['vote', 'C2', 'C5'],
  },
]
