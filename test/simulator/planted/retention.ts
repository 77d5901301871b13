// Planted bugs of retention: what is erased, when, and what is told of it.

import type { Bug } from './bug.js'

const SIZES = 'state/mailbox-sizes'
const RETENTION = 'processing/retention'

export const RETENTION_BUGS: readonly Bug[] = [
  {
    name: 'retention erases one message too many',
    workload: 'whole',
    changes: [{ file: SIZES, line: 'live > count', becomes: 'live >= count' }],
    caughtBy: ['retention'],
  },
  {
    name: 'retention counts bytes that are within the bound',
    workload: 'whole',
    changes: [{ file: SIZES, line: 'held > bytes', becomes: 'held * 2 > bytes' }],
    caughtBy: ['retention'],
  },
  {
    name: 'the age of messages is not waited for',
    workload: 'whole',
    changes: [
      { file: RETENTION, line: 'Math.max(0, at - age)', becomes: 'Math.max(0, at - age / 2)' },
    ],
    caughtBy: ['retention'],
  },
  {
    name: 'a store tells a later place of the log than the time asked for',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/log-service',
        line: 'index: Math.min(result.index, log.commit)',
        becomes: 'index: log.commit',
      },
    ],
    caughtBy: ['retention'],
  },
  {
    name: 'retention looks once and never again',
    workload: 'whole',
    changes: [
      {
        file: RETENTION,
        line: 'this.#dueAt = this.#context.now.monotonic + pauseMs;',
        becomes: 'this.#dueAt = Infinity;',
      },
    ],
    caughtBy: ['retention'],
  },
  {
    name: 'expired messages still count as held',
    workload: 'whole',
    changes: [
      {
        file: SIZES,
        line: 'const gone = indices ?? liveThrough(mailbox, through);',
        becomes: 'const gone = indices ?? [];',
      },
    ],
    caughtBy: ['quota', 'retention', 'G1'],
  },
  {
    name: 'a page shows what has expired and is not erased yet',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/pending-drops',
        line: 'through = Math.max(through, drop.through);',
        becomes: ';',
      },
    ],
    caughtBy: ['read', 'linearizable', 'C4', 'delivery'],
  },
  {
    name: 'the file keeps the last of the messages that have expired',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/eraser',
        line: 'const indices = page.messages.map((message) => message.index);',
        becomes:
          'const indices = page.messages.map((message) => message.index).slice(0, page.more ? undefined : -1);',
      },
    ],
    caughtBy: ['erasure'],
  },
  {
    name: 'a later mark makes expired messages read',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/receipts',
        line: 'if (this.#executor.base.expiries.unread(to, index))',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['receipt'],
  },
  {
    name: 'what has expired is not in the snapshot',
    workload: 'whole',
    changes: [
      {
        file: 'state/expiries',
        line: 'this.#touch(mailbox);',
        becomes: '',
      },
    ],
    caughtBy: ['G1'],
  },
]
