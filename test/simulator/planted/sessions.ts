// Bugs of sessions: accounts, marks, pushes, pages, deletions. C4, C5, C8, and the promises to
// clients.

import type { Bug } from './bug.js'

const PUSHES = 'sessions/pushes'

export const SESSION_BUGS: readonly Bug[] = [
  {
    name: 'a session is there before its account is committed',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/registration',
        line: "const command = { kind: 'register', name, token, ...gate, ...result.secrets };",
        becomes:
          "const command = { kind: 'register', name, token, ...gate, ...result.secrets };\n" +
          "this.#requests.reply(session, { type: 'SESSION', request, name, fingerprint: '', bits: 0, held: 'service', cursor: 0 });",
      },
    ],
    caughtBy: ['C4', 'C5', 'C8'],
  },
  {
    name: 'a stream is called open before it is committed',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/sends',
        line: "const command = { kind: 'open-stream', user, token, most };",
        becomes:
          "const command = { kind: 'open-stream', user, token, most };\n" +
          "this.#requests.reply(session, { type: 'STREAM_OPENED', request, stream: token });",
      },
    ],
    caughtBy: ['C4', 'C5', 'C8', 'crash'],
  },
  {
    name: 'OUT_OF_ORDER is said without an order',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/sends',
        line: 'if (seq === 0)',
        becomes:
          'const open = this.#executor.base.stream(idOf(message.stream));\n' +
          'if (open && seq > open.next + 1)\n' +
          "  return refusal(request, 'OUT_OF_ORDER', '', { expected: open.next });\n" +
          'if (seq === 0)',
      },
    ],
    caughtBy: ['C3', 'C4', 'C5', 'C8', 'linearizable'],
  },
  {
    name: 'a send that may have been stored is refused as definitely not stored',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/request-context',
        line: "unknown: 'UNKNOWN_OUTCOME'",
        becomes: "unknown: 'NOT_READY'",
      },
    ],
    caughtBy: ['linearizable', 'C5', 'read'],
  },
  {
    name: 'few answers are kept',
    workload: 'whole',
    changes: [
      {
        file: 'state/answer-ring',
        line: 'export const KEPT_ANSWERS = 256;',
        becomes: 'export const KEPT_ANSWERS = 2;',
      },
    ],
    caughtBy: ['C5', 'C2', 'linearizable'],
  },
  {
    name: "the recipient is not part of a send's digest",
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/send',
        line: '`${command.user}\\n${command.to}\\n${command.text}`',
        becomes: '`${command.user}\\n${command.text}`',
      },
    ],
    caughtBy: ['C4', 'C5'],
  },
  {
    name: 'the second of two changes made at once to an account counts too',
    workload: 'whole',
    changes: [
      {
        file: 'state/commands/change-account',
        line: 'if (existing.version !== command.version)',
        becomes: 'if (existing.version > command.version + 9)',
      },
    ],
    caughtBy: ['C4', 'C5', 'linearizable', 'account'],
  },
  {
    name: 'a push goes out twice',
    workload: 'whole',
    changes: [
      {
        file: PUSHES,
        line: 'meta.mailbox === user && index > listener.sent);',
        becomes: 'meta.mailbox === user && index > listener.sent - 3);',
      },
    ],
    caughtBy: ['push', 'mark'],
  },
  {
    name: 'pushes leave out the messages beyond a full page',
    workload: 'whole',
    changes: [
      {
        file: PUSHES,
        line: 'const end = page.more ? (page.stored.at(-1)?.index ?? 0) : page.through;',
        becomes: 'const end = page.through;',
      },
    ],
    caughtBy: ['push', 'mark', 'read'],
  },
  {
    name: 'what expires while it is opened is pushed',
    workload: 'whole',
    changes: [
      {
        file: PUSHES,
        line: 'for (const { dropped } of listener.opening)',
        becomes: 'if (drop.indices) for (const { dropped } of listener.opening)',
      },
    ],
    caughtBy: ['deleted'],
  },
  {
    name: 'the feed is asked for amid a batch',
    workload: 'whole',
    changes: [
      {
        file: 'processing/log-client',
        line: 'this.#wantsBodies = wanted;',
        becomes:
          'this.#wantsBodies = wanted;\n' +
          'if (this.#bodies === wanted) return;\n' +
          'this.#bodies = wanted;\n' +
          'this.follow();',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a mark goes back',
    workload: 'whole',
    changes: [
      {
        file: 'entries/marks',
        line: 'const read = Math.max(known.read, mark.read);',
        becomes: 'const { read } = mark;',
      },
    ],
    caughtBy: ['mark', 'receipt'],
  },
  {
    name: 'a page shows messages that are being deleted',
    changes: [
      {
        file: 'persistence/reads',
        line: '= this.#drops.hidden(mailbox);',
        becomes: '= { through: 0, indices: [] };',
      },
    ],
    caughtBy: ['linearizable', 'read'],
  },
  {
    name: 'a page read before deletions ran ahead is shown',
    changes: [
      {
        file: 'persistence/reads',
        line: 'if (reach < this.#context.erasedThrough)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['linearizable', 'read', 'crash'],
  },
  {
    name: 'deletions that a crash interrupted are not taken up again',
    changes: [
      {
        file: 'replicas/persistence',
        line: 'config.recovered?.drops ?? []',
        becomes: '[]',
      },
    ],
    caughtBy: ['erasure', 'linearizable', 'read'],
  },
  {
    name: 'a request that needs no order weighs in a claim',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/session-router',
        line: 'const { request } = message;',
        becomes: 'const { request } = message;\n        this.#context.clientAsked();',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
]
