// Bugs of streams, their ends and bounds, and of the size of a mailbox. C3 to C5, and the quota.

import type { Bug } from './bug.js'

const SENDS = 'sessions/sends'
const DEFINITE = 'value > 0 && seq >= value'

export const STREAM_BUGS: readonly Bug[] = [
  {
    name: 'a closed stream takes messages',
    workload: 'whole',
    changes: [
      { file: 'state/streams', line: 'this.#open.delete(id);', becomes: '' },
      {
        file: 'state/overlay',
        line: 'this.#streams.set(id, null, this.k);\n        this.#ended',
        becomes: 'this.#ended',
      },
    ],
    caughtBy: ['C2', 'C3', 'C5', 'vote', 'stream', 'G1', 'crash'],
  },
  {
    name: 'a repeated OPEN_STREAM opens another stream',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/open-stream',
        line: 'if (openedBy(ledger, by, request))',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['C5'],
  },
  {
    name: 'a repeated CLOSE_STREAM is refused',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/close-stream',
        line: 'return noop(0);',
        becomes: 'return noop(ERRORS.NO_SUCH_STREAM.code);',
      },
    ],
    caughtBy: ['C5'],
  },
  {
    name: 'a stored send is called not stored once its stream is closed',
    workload: 'whole',
    changes: [{ file: SENDS, line: DEFINITE, becomes: 'true' }],
    caughtBy: ['C5', 'linearizable'],
  },
  {
    name: 'a send whose stream is forgotten is called not stored',
    workload: 'whole',
    changes: [{ file: SENDS, line: DEFINITE, becomes: 'seq >= value' }],
    caughtBy: ['C5', 'linearizable'],
  },
  {
    name: 'a send that was never executed is called stored, perhaps, at the end of its stream',
    workload: 'whole',
    changes: [{ file: SENDS, line: DEFINITE, becomes: 'value > 0 && seq > value' }],
    caughtBy: ['C5'],
  },
  {
    name: 'an end that the log does not have yet is not remembered',
    workload: 'whole',
    changes: [
      {
        file: 'state/overlay',
        line: 'return this.#ended.get(endKey(user, id)) ?? this.#base.endedStream(user, id);',
        becomes: 'return this.#base.endedStream(user, id);',
      },
    ],
    caughtBy: ['C5', 'C2', 'vote'],
  },
  {
    name: 'a user opens streams without limit',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/open-stream',
        line: 'Math.max(0, open.length + 1 - most)',
        becomes: '0',
      },
    ],
    caughtBy: ['stream'],
  },
  {
    name: 'a stream in use ends as an idle one',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/end-idle-streams',
        line: '(ledger.stream(idOf(id))?.used ?? Infinity) <= since',
        becomes: 'ledger.stream(idOf(id)) !== undefined',
      },
      { file: 'processing/idle-streams', line: 'if (used <= idleSince)', becomes: 'if (true)' },
    ],
    caughtBy: ['stream'],
  },
  {
    name: 'idle streams never end',
    workload: 'whole',
    changes: [
      { file: 'processing/idle-streams', line: 'if (used <= idleSince)', becomes: 'if (false)' },
    ],
    caughtBy: ['P7'],
  },
  {
    name: 'a send does not count as use of its stream',
    workload: 'whole',
    changes: [
      { file: 'state/streams', line: 'stream.used = answered.time;', becomes: '' },
      {
        file: 'state/overlay',
        line: '{ owner, token, next: seq + 1, used }',
        becomes: '{ owner, token, next: seq + 1, used: this.stream(id).used }',
      },
    ],
    caughtBy: ['stream', 'G1'],
  },
  {
    name: 'the streams of a deleted account stay',
    workload: 'whole',
    changes: [{ file: 'state/ledger', line: 'this.streams.forget(name);', becomes: '' }],
    caughtBy: ['stream', 'C3', 'G1', 'P7', 'vote'],
  },
  {
    name: 'a stream is called closed before that is committed',
    workload: 'whole',
    changes: [
      {
        file: SENDS,
        line: "const command = { kind: 'close-stream', user, stream };",
        becomes:
          "const command = { kind: 'close-stream', user, stream };\n" +
          "this.#requests.reply(session, { type: 'STREAM_CLOSED', request });",
      },
    ],
    caughtBy: ['C4', 'C8'],
  },
  {
    name: 'the size of a mailbox is told by a replica that lags behind the log',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/mailbox-requests',
        line: 'this.#requests.lookUp(session, user, request, () => {',
        becomes: '((then) => then())(() => {',
      },
    ],
    caughtBy: ['quota'],
  },
]
