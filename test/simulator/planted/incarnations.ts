// Bugs around lost and rolled-back files: which incarnation votes, and whose answers count. P3, P9.

import type { Bug } from './bug.js'

const INCARNATIONS = 'view/incarnations'
const PROPOSAL = 'view/proposal'

export const INCARNATION_BUGS: readonly Bug[] = [
  {
    name: 'a blank file votes',
    changes: [
      {
        file: 'persistence/context',
        line: 'if (this.incarnation.counter === 1)',
        becomes: 'if (this.incarnation.counter >= 1)',
      },
    ],
    caughtBy: ['P2', 'P3', 'P7', 'P9', 'halt', 'read', 'linearizable'],
  },
  {
    name: "a blank file's promise counts",
    changes: [
      {
        file: PROPOSAL,
        line: 'if (promised.learner)\n',
        becomes: 'if (promised.learner && promised.last.index < 0)\n',
      },
    ],
    caughtBy: ['P2', 'P3', 'P9', 'halt', 'read', 'linearizable'],
  },
  {
    name: 'a superseded incarnation counts',
    changes: [
      {
        file: PROPOSAL,
        line: 'return !recorded || compareIncarnations(recorded, promised.incarnation) <= 0;',
        becomes: 'return true;',
      },
      {
        file: 'view/change',
        line: 'if (compareIncarnations(newest, this.#context.incarnation) > 0) {',
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['P9', 'P3', 'P2', 'halt'],
  },
  {
    name: 'the record of incarnations is not carried',
    changes: [
      {
        file: 'view/change',
        line: 'incarnations: this.#context.incarnationList,\n            learner: !this.#context.votes,',
        becomes: 'incarnations: [],\n            learner: !this.#context.votes,',
      },
      {
        file: 'view/change',
        line: 'for (const { slot, incarnation } of named)',
        becomes: 'for (const { slot, incarnation } of [])',
      },
      {
        file: 'replicas/persistence',
        line: 'this.#context.noteIncarnation(from, message.incarnation);',
        becomes: '',
      },
    ],
    caughtBy: ['P9', 'P3', 'P2', 'P7', 'halt', 'crash'],
  },
  {
    name: 'a new incarnation takes the number of the last',
    changes: [{ file: INCARNATIONS, line: 'counter: highest + 1,', becomes: 'counter: highest,' }],
    caughtBy: ['P3', 'P5', 'P7', 'P9', 'C6', 'halt'],
  },
  {
    name: 'one answer tells a blank file its incarnation',
    changes: [
      {
        file: INCARNATIONS,
        line: 'if (this.#answers.size < this.#context.majority)',
        becomes: 'if (this.#answers.size < 1)',
      },
    ],
    caughtBy: ['P3', 'P7', 'P9', 'C6', 'halt'],
  },
  {
    name: 'a rolled-back file goes on',
    changes: [
      {
        file: 'replicas/persistence',
        line: 'if (this.#incarnations.onRecall(message))',
        becomes: 'if (this.#incarnations.onRecall(message) && false)',
      },
    ],
    caughtBy: ['P2', 'P3', 'P4', 'P5', 'P9', 'halt', 'read', 'linearizable'],
  },
  {
    name: 'a blank file answers reads',
    changes: [
      {
        file: 'persistence/reads',
        line: 'if (this.#round?.id !== message.round || message.learner)',
        becomes: 'if (this.#round?.id !== message.round)',
      },
    ],
    caughtBy: ['P9', 'read', 'linearizable'],
  },
  {
    name: 'an ended incarnation answers the reads that it had begun',
    changes: [{ file: 'view/change', line: 'this.#reads.abandon();', becomes: '' }],
    caughtBy: ['P9', 'read', 'linearizable'],
  },
  {
    name: 'a learner enters a view that it gave up',
    changes: [
      {
        file: 'view/change',
        line: 'waited > 4 * this.#context.timings.patience) {\n            this.leave();',
        becomes:
          "waited > 4 * this.#context.timings.patience) {\n            this.#context.status = 'learner';",
      },
    ],
    caughtBy: ['P2', 'P3', 'halt', 'P8'],
  },
  {
    name: 'a disk that was full once is full for ever',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/context',
        line: "if (result.outcome !== 'stale')\n                this.full = result.outcome === 'full';",
        becomes: "if (result.outcome === 'full') this.full = true;",
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a new file is of no history',
    changes: [
      {
        file: 'view/incarnations',
        line: 'genesis: { genesis: { clusterId, historyId, slots }, incarnation },',
        becomes: "genesis: { genesis: { clusterId, historyId: '', slots }, incarnation },",
      },
    ],
    caughtBy: ['P9'],
  },
]
