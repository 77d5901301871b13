// Bugs of terms: claims, leases, fencing, election. C1, C6, C7.

import type { Bug } from './bug.js'

const ADMISSION = 'persistence/admission'
const LEADERSHIP = 'processing/leadership'

export const TERM_BUGS: readonly Bug[] = [
  {
    name: 'the new term is not checked',
    changes: [
      {
        file: ADMISSION,
        line: 'if (order.term !== term || order.slot !== owner?.slot || order.boot !== owner.boot)',
        becomes: 'if (order.term > term)',
      },
    ],
    caughtBy: ['C1', 'C2', 'C7', 'P3', 'crash', 'halt'],
  },
  {
    name: 'the lease is trusted in place of the term',
    changes: [
      {
        file: ADMISSION,
        line: 'if (order.term !== term || order.slot !== owner?.slot || order.boot !== owner.boot)',
        becomes:
          'if (order.leased) return { verdict: "append", skip: 0 };\n' +
          'if (order.term !== term || order.slot !== owner?.slot || order.boot !== owner.boot)',
      },
      {
        file: 'persistence/sequencer',
        line: 'const verdict = admitOrder(log, order);',
        becomes:
          'const leased = order.term > 0 && this.#leases.states(order);\n' +
          'const verdict = admitOrder(log, { ...order, leased });',
      },
      {
        file: 'persistence/lease',
        line: 'get ownWeight() {',
        becomes:
          'states({ slot, boot, term }) {\n' +
          '  return [...this.#statements.values()].some((said) =>\n' +
          '    said.slot === slot && said.boot === boot && said.holds === term);\n' +
          '}\n' +
          'get ownWeight() {',
      },
    ],
    caughtBy: ['C1', 'C2', 'C3', 'C7', 'P3', 'halt'],
  },
  {
    name: 'a gap in k is accepted',
    changes: [
      {
        file: ADMISSION,
        line: "if (order.k > k + 1)\n        return { verdict: 'gap', expected: k + 1 };\n    if (order.k === k + 1)",
        becomes:
          "if (order.k > k + 2)\n        return { verdict: 'gap', expected: k + 1 };\n    if (order.k > k)",
      },
    ],
    caughtBy: ['C7', 'halt'],
  },
  {
    name: 'an order sent again is appended again',
    changes: [
      {
        file: ADMISSION,
        line: "return { verdict: 'present', through: lastOf(there) };",
        becomes: "return { verdict: 'append' };",
      },
    ],
    caughtBy: ['C7', 'C2', 'halt'],
  },
  {
    name: 'a claim is not compared with the newest term',
    changes: [{ file: ADMISSION, line: 'if (term !== claim.expected)', becomes: 'if (false)' }],
    caughtBy: ['C1', 'C7', 'halt'],
  },
  {
    name: 'a restarted replica takes its term up again',
    changes: [
      {
        file: ADMISSION,
        line: 'if (owner && owner.nonce === claim.nonce)',
        becomes: 'if (owner && owner.slot === claim.slot)',
      },
      {
        file: 'persistence/sequencer',
        line: 'log.committedFence.owner?.nonce === claim.nonce',
        becomes: 'log.committedFence.owner?.slot === claim.slot',
      },
    ],
    caughtBy: ['C1', 'C2', 'C6', 'C7', 'P3', 'P7', 'halt'],
  },
  {
    name: 'FENCED names a term that is not committed',
    changes: [
      {
        file: 'persistence/sequencer',
        line: 'term: log.committedFence.term',
        becomes: 'term: log.fence.term',
      },
      {
        file: ADMISSION,
        line: 'const { term } = log.committedFence;',
        becomes: 'const { term } = log.fence;',
      },
    ],
    caughtBy: ['C1', 'C4', 'P3', 'P7', 'C6'],
  },
  {
    name: 'a TERM has the time of a clock',
    changes: [
      {
        file: 'persistence/sequencer',
        line: 'time: log.fence.time',
        becomes: 'time: this.#context.now.wall',
      },
    ],
    caughtBy: ['time'],
  },
  {
    name: 'an owner that fell silent keeps its lease',
    changes: [
      {
        file: 'persistence/lease',
        line: 'if (now.monotonic - said.heard > timings.suspect)',
        becomes: 'if (false)',
      },
      {
        file: 'persistence/lease',
        line: 'if (said.holds === term || said.nonce === owner.nonce)',
        becomes: 'if (true)',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a replica that says it holds an old term counts as live',
    changes: [
      {
        file: LEADERSHIP,
        line: 'if (vouchesFor === self || vouchesFor === 0 || vouchedTerm < newestTerm)',
        becomes: 'if (vouchesFor === self || vouchesFor === 0)',
      },
      {
        file: LEADERSHIP,
        line: 'if (holds > 0 && this.#context.newestTerm > holds)',
        becomes: 'if (false)',
      },
      {
        file: LEADERSHIP,
        line: 'if (this.#context.holds > 0 && this.#context.holds < term)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['C1', 'C6', 'P7'],
  },
  {
    name: 'a coordinator without persistence goes on',
    changes: [
      {
        file: LEADERSHIP,
        line: "if (role !== 'follower' && role !== 'participant' && tooLong)",
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a replica that cannot reach persistence offers its id',
    changes: [
      {
        file: LEADERSHIP,
        line: 'return qualified && this.#log.commits && this.#log.isNear;',
        becomes: 'return qualified && this.#log.isNear;',
      },
      // A claim after fruitless rounds would mask the bug.
      {
        file: 'election/ring',
        line: 'if (successor === undefined || this.#fruitless >= 2) {',
        becomes: 'if (successor === undefined) {',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'the ring has no hop limit',
    changes: [
      {
        file: 'election/ring',
        line: 'if (successor === undefined || hops > 2 * this.#slots)',
        becomes: 'if (successor === undefined)',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a ring that does not close is waited for',
    changes: [
      {
        file: 'election/ring',
        line: 'if (successor === undefined || this.#fruitless >= 2) {',
        becomes: 'if (successor === undefined) {',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a home whose view is over is kept',
    changes: [
      {
        file: 'processing/log-client',
        line: 'else if (best && !this.commits && (this.serves || this.#homeless > timings.patience)) {',
        becomes: 'else if (false) {',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a home that cannot commit is good enough',
    changes: [
      { file: 'processing/log-client', line: 'if (this.commits)\n', becomes: 'if (this.serves)\n' },
      {
        file: LEADERSHIP,
        line: 'return qualified && this.#log.commits && this.#log.isNear;',
        becomes: 'return qualified && this.#log.serves && this.#log.isNear;',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a home that does not hear is good enough',
    changes: [
      {
        file: 'processing/log-replicas',
        line: '.heartbeat?.hears.includes(this.#context.self) === true',
        becomes: '.heartbeat != null',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a coordinator whom no client reaches does not give way',
    workload: 'whole',
    changes: [
      { file: 'processing/context', line: 'live.length + clients', becomes: 'live.length' },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: "a client's requests outlive the client",
    workload: 'whole',
    changes: [
      {
        file: 'processing/context',
        line: 'this.hasClients ? connected : gone',
        becomes: 'this.hasClients || asked ? connected : gone',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a request refused for full disks weighs in a claim',
    workload: 'whole',
    changes: [
      {
        file: 'processing/submission',
        line: 'if (this.#log.full)',
        becomes: 'this.#context.clientAsked();\n        if (this.#log.full)',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'clients that have just left weigh nothing in a claim',
    workload: 'whole',
    changes: [{ file: 'processing/context', line: 'asked ? WEIGHT_LEFT : 0', becomes: '0' }],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a computation for a client that has left weighs in a claim',
    workload: 'whole',
    changes: [
      {
        file: 'processing/submission',
        line: 'if (connected)',
        becomes: 'if (true)',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a home that does not answer is kept',
    workload: 'whole',
    changes: [
      {
        file: 'processing/log-writes',
        line: 'const waits = this.#appends.length > 0 || this.#claim !== null;',
        becomes: 'const waits = false;',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'hearsay of a coordinator is believed for ever',
    workload: 'whole',
    changes: [
      {
        file: LEADERSHIP,
        line: 'return unreachable || this.#claimsLeft > 0 ? 0 : this.#hearsay;',
        becomes: 'return this.#hearsay;',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a replica that resigned offers its id again at once',
    workload: 'whole',
    changes: [
      {
        file: LEADERSHIP,
        line: 'this.#disqualifiedUntil = now.monotonic + timings.suspect * (1 + this.#context.random());',
        becomes: 'void now, timings;',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a home that never gets to the next view is kept',
    workload: 'whole',
    changes: [
      {
        file: 'processing/log-client',
        line: '(this.serves || this.#homeless > timings.patience)',
        becomes: 'this.serves',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
  {
    name: 'a replica that asked others to resign lets them elect each other',
    workload: 'whole',
    changes: [
      {
        file: LEADERSHIP,
        line: 'this.#claimsLeft = (this.#claimsLeft > 0 ? this.#claimsLeft : this.#context.slots + 1) - 1;',
        becomes: 'this.#claimsLeft = 0;',
      },
    ],
    caughtBy: ['C6', 'P7'],
  },
]
