// Planted bugs of snapshots: state that is loaded is not what the log builds (G1).

import type { Bug } from './bug.js'

export const SNAPSHOT_BUGS: readonly Bug[] = [
  {
    name: 'a changed record is not saved',
    workload: 'whole',
    changes: [
      {
        file: 'state/streams',
        line: 'this.#touch(recordKey.stream(id));\n        this.#touch(recordKey.answers(id, ringPlaceOf(seq)));',
        becomes: 'this.#touch(recordKey.answers(id, ringPlaceOf(seq)));',
      },
    ],
    caughtBy: ['G1'],
  },
  {
    name: 'the end of a stream is not saved',
    workload: 'whole',
    changes: [{ file: 'state/streams', line: 'this.#touch(recordKey.ended(owner));', becomes: '' }],
    caughtBy: ['G1'],
  },
  {
    name: 'a deleted message stays in the size of its mailbox',
    workload: 'whole',
    changes: [
      {
        file: 'state/mailbox-sizes',
        line: 'for (const page of new Set(gone.map(pageOf)))',
        becomes: 'for (const page of [])',
      },
    ],
    caughtBy: ['G1'],
  },
  {
    name: 'the place moves ahead of the records',
    workload: 'whole',
    changes: [
      {
        file: 'processing/snapshots',
        line: 'head: last ? this.#underWay : null }',
        becomes: 'head: last ? headOf(this.#executor.base, this.#context) : null }',
      },
    ],
    caughtBy: ['G1'],
  },
  {
    name: 'a record that changes while it waits for its save is saved as it is then',
    workload: 'whole',
    changes: [
      {
        file: 'snapshot/changes',
        line: 'if (this.#pending.delete(key))\n            this.#early.push(this.#encode(key));',
        becomes: '',
      },
    ],
    caughtBy: ['G1'],
  },
  {
    name: 'the records of a save that failed are forgotten',
    workload: 'whole',
    changes: [
      {
        file: 'processing/snapshots',
        line: 'this.#changes.restore();\n        this.#whole',
        becomes: 'this.#changes.saved();\n        this.#whole',
      },
    ],
    caughtBy: ['G1'],
  },
  {
    name: 'a new file gets only what has changed',
    workload: 'whole',
    changes: [
      {
        file: 'processing/snapshots',
        line: "this.#whole = outcome === 'lost';",
        becomes: 'this.#whole = false;',
      },
    ],
    caughtBy: ['G1'],
  },
  {
    name: 'the chain of a place is not compared',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/feed',
        line: 'const held = log.has(place);',
        becomes: 'const held = true;',
      },
    ],
    caughtBy: ['G1', 'C2', 'C4', 'C5', 'halt', 'vote'],
  },
  {
    name: 'a snapshot of another history is loaded',
    workload: 'whole',
    changes: [
      {
        file: 'snapshot/load',
        line: 'if (historyId !== this.#origin.historyId)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['G1', 'C2', 'C4', 'C5', 'halt', 'vote'],
  },
]
