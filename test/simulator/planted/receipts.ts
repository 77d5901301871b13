// Bugs of receipts: what senders are told about their sends.

import type { Bug } from './bug.js'

const RECEIPTS = 'sessions/receipts'

export const RECEIPT_BUGS: readonly Bug[] = [
  {
    name: "a recipient's mark is told before it is committed",
    workload: 'whole',
    changes: [
      {
        file: 'sessions/session-router',
        line: 'this.#parts.marks.mark(session.user, mark);',
        becomes:
          '(this.#executor.base.marks.raise(session.user, mark), this.#parts.marks.mark(session.user, mark));',
      },
    ],
    caughtBy: ['receipt', 'C4', 'mark'],
  },
  {
    name: 'a delivered message is called read',
    workload: 'whole',
    changes: [{ file: RECEIPTS, line: 'if (index <= read)', becomes: 'if (index <= delivered)' }],
    caughtBy: ['receipt'],
  },
  {
    name: 'receipts are read from a replica that lags behind the log',
    workload: 'whole',
    changes: [
      {
        file: RECEIPTS,
        line: 'this.#requests.lookUp(session, user, request, () => {',
        becomes:
          'const now = (_session, _user, _request, then) => then();\n        now(session, user, request, () => {',
      },
    ],
    caughtBy: ['receipt'],
  },
  {
    name: "a sender learns the recipient's mark for others' messages",
    workload: 'whole',
    changes: [
      {
        file: RECEIPTS,
        line: 'delivered = Math.max(delivered, index);',
        becomes: 'delivered = mark.delivered;',
      },
    ],
    caughtBy: ['receipt'],
  },
  {
    name: 'ACCEPTED is said again after the receipt',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/sends',
        line: 'this.#requests.reply(session, told);',
        becomes:
          'this.#requests.reply(session, told);\n            this.#receipts.accepted(session, message);',
      },
    ],
    caughtBy: ['receipt'],
  },
]
