// Bugs in what clients are told: streams, answers, receipts. C3 to C5, C8.

import type { Bug } from './bug.js'

const DECIDE = 'state/commands/sending'

export const CLIENT_BUGS: readonly Bug[] = [
  {
    name: 'a repeated send is a new one',
    workload: 'whole',
    changes: [{ file: DECIDE, line: 'if (seq < state.next)', becomes: 'if (seq < 0)' }],
    caughtBy: ['C3', 'C5', 'halt'],
  },
  {
    name: 'a seq that is too high is accepted',
    workload: 'whole',
    changes: [
      { file: DECIDE, line: 'if (seq > state.next)', becomes: 'if (seq > state.next + 1)' },
    ],
    caughtBy: ['C3'],
  },
  {
    name: "another text under a known seq gets the original's answer",
    workload: 'whole',
    changes: [
      { file: DECIDE, line: 'return sameBytes(known.digest, digest)', becomes: 'return true' },
    ],
    caughtBy: ['C5'],
  },
  {
    name: 'a refusal consumes no seq',
    workload: 'whole',
    changes: [
      {
        file: 'state/streams',
        line: 'stream.next = seq + 1',
        becomes: 'stream.next = answered.code === 0 ? seq + 1 : seq',
      },
    ],
    caughtBy: ['C3', 'C5', 'halt', 'vote', 'G1'],
  },
  {
    name: 'a duplicate is answered before the commit',
    workload: 'whole',
    changes: [
      {
        file: 'state/executor',
        line: 'keyOf(account) {',
        becomes:
          'answered(id, seq) { return this.#overlay.answered(id, seq); }\n    keyOf(account) {',
      },
      {
        file: 'sessions/sends',
        line: 'this.#requests.submit(session, message.request, commandOf(user, message)',
        becomes:
          'const { request, seq } = message;\n' +
          'const known = this.#executor.answered(idOf(message.stream), seq);\n' +
          "if (known) return this.#requests.reply(session, { type: 'RECEIPT', request, seq, index: known.index, time: known.time });\n" +
          'this.#requests.submit(session, request, commandOf(user, message)',
      },
    ],
    caughtBy: ['C4', 'C5', 'C8'],
  },
  {
    name: 'a receipt names the index before its message',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/sends',
        line: 'return answered({ code: meta.answer, index, time });',
        becomes: 'return answered({ code: meta.answer, index: index - 1, time });',
      },
    ],
    caughtBy: ['C5', 'C8', 'linearizable'],
  },
  {
    name: 'a log-in during a rebuild is answered at once',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/log-in',
        line: 'this.#requests.waiters.again(() => this.#begin(session, request, name, privateKeys, version));',
        becomes: 'this.#begin(session, request, name, privateKeys, version);',
      },
    ],
    caughtBy: ['C5', 'mark', 'crash'],
  },
  {
    name: 'a page is opened before its replica has caught up with it',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/opener',
        line: 'this.#waiters.through(through, () => then({ stored, through, more }));',
        becomes: 'then({ stored, through, more });',
      },
    ],
    caughtBy: ['C4', 'C5', 'read', 'linearizable'],
  },
  {
    name: 'a second log-in wipes the key of openings under way',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/opener',
        line: 'const keys = privateKeys.map((key) => Uint8Array.from(key));',
        becomes: 'const keys = [...privateKeys];',
      },
    ],
    caughtBy: ['C4', 'push', 'read', 'linearizable'],
  },
  {
    name: 'an empty page is skipped',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/inbox',
        line: '(more ? after : Math.max(after, through))',
        becomes: 'Math.max(after, through)',
      },
    ],
    caughtBy: ['C4', 'C5', 'read', 'linearizable'],
  },
  {
    name: 'a command that was forwarded twice counts twice',
    workload: 'whole',
    changes: [
      {
        file: 'processing/forwarded-commands',
        line: 'if (known?.boot === boot && id <= known.id)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['C3', 'C5', 'linearizable'],
  },
]
