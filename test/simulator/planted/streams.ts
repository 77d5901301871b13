// Bugs of the end of a stream and of the size of a mailbox. C3 to C5, and the quota.

import type { Bug } from './bug.js'

export const STREAM_BUGS: readonly Bug[] = [
  {
    name: 'a closed stream takes messages',
    workload: 'whole',
    changes: [{ file: 'state/commands/sending', line: 'if (state.closed)', becomes: 'if (false)' }],
    caughtBy: ['C2', 'C3', 'C5', 'vote'],
  },
  {
    name: 'a repeated OPEN_STREAM opens a closed stream again',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/open-stream',
        line: 'if (existing) {',
        becomes: 'if (existing && !existing.closed) {',
      },
    ],
    caughtBy: ['C3', 'C5'],
  },
  {
    name: 'a repeated CLOSE_STREAM is refused',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/close-stream',
        line: 'return noop(0, existing.next);',
        becomes: 'return noop(ERRORS.NO_SUCH_STREAM.code);',
      },
    ],
    caughtBy: ['C5'],
  },
  {
    name: 'a stored send is called not stored once its stream is closed',
    workload: 'whole',
    changes: [
      { file: 'sessions/sends', line: 'definite: seq >= value', becomes: 'definite: true' },
    ],
    caughtBy: ['C5', 'linearizable'],
  },
  {
    name: 'a stream is called closed before that is committed',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/sends',
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
