// Bugs of the log: append, acknowledge, commit, catch up, feed, read. P2, P3, P5, P7.

import type { Bug } from './bug.js'

const APPENDER = 'persistence/appender'

export const LOG_BUGS: readonly Bug[] = [
  {
    name: 'the holder counts itself before its fsync',
    changes: [
      { file: APPENDER, line: 'slot === self ? log.durable', becomes: 'slot === self ? log.last' },
    ],
    caughtBy: ['P3'],
  },
  {
    name: 'a member acknowledges before its fsync',
    changes: [
      {
        file: APPENDER,
        line: 'const require = { promised: epoch, last: previous };',
        becomes:
          'const require = { promised: epoch, last: previous };\n' +
          "if (ackTo !== undefined) this.#context.send(ackTo, { type: 'ACK', epoch, last: log.last });",
      },
    ],
    caughtBy: ['P5'],
  },
  {
    name: 'one file is enough for a commit',
    changes: [{ file: APPENDER, line: 'durable[majority - 1]', becomes: 'durable[0]' }],
    caughtBy: ['P3'],
  },
  {
    name: 'a commit counts on members of the view only',
    changes: [
      {
        file: APPENDER,
        line: 'durable[majority - 1]',
        becomes: 'durable[Math.floor(this.#context.memberSlots.length / 2)]',
      },
    ],
    caughtBy: ['P3'],
  },
  {
    name: 'an append is answered before its commit',
    changes: [
      {
        file: 'persistence/append-queue',
        line: 'this.#unanswered[0].through <= commit',
        becomes: 'this.#unanswered[0].through >= commit',
      },
    ],
    caughtBy: ['P3', 'P7', 'C4'],
  },
  {
    name: 'unanswered appends are not put back',
    changes: [
      {
        file: 'persistence/append-queue',
        line: 'this.#queue = [...this.#unanswered.map(({ pending }) => pending), ...this.#queue]',
        becomes: 'void 0',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a holder whose own write failed goes on',
    changes: [
      { file: 'replicas/persistence', line: 'this.#view.leave();\n        };', becomes: '};' },
    ],
    caughtBy: ['P1', 'P2', 'P3', 'P7', 'halt', 'invalid'],
  },
  {
    name: 'memory is not put back where a write failed',
    changes: [
      {
        file: 'persistence/context',
        line: 'this.log.resetTo(this.#file)',
        becomes: 'this.log.settled()',
      },
    ],
    caughtBy: ['P2', 'P3', 'P5', 'P7', 'halt', 'disk'],
  },
  {
    name: 'the commit index stays where a failed write takes the log back',
    changes: [
      {
        file: 'persistence/tail',
        line: 'if (this.#commit > committed) {',
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['P3', 'P7', 'halt', 'crash'],
  },
  {
    name: 'a log of another view is taken up',
    changes: [
      {
        file: APPENDER,
        line: 'if (!inView || !pulled.common)',
        becomes: 'if (!pulled.common)',
      },
      {
        file: 'persistence/pull',
        line: "if (status === 'outside' && !message.committedOnly)",
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['P1', 'P2', 'P3', 'halt'],
  },
  {
    name: 'one pulled stretch is taken for all',
    changes: [
      {
        file: APPENDER,
        line: 'if (pulled.batches.length > 0 && pulled.last > this.#context.log.last)',
        becomes: 'if (false)',
      },
      {
        file: 'persistence/epoch-gate',
        line: 'if (serving && serves && committed > log.commit)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['P7'],
  },
  {
    name: 'a pull begins again where it began before',
    changes: [
      {
        file: 'persistence/pull',
        line: 'if (reached && this.#context.log.has(reached) === true) {',
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'the feed runs ahead of the commit',
    changes: [
      {
        file: 'persistence/feed',
        line: 'batches.filter((batch) => lastOf(batch) <= log.commit)',
        becomes: 'batches',
      },
    ],
    caughtBy: ['P3', 'P7'],
  },
  {
    name: 'the feed from the file runs ahead of the commit',
    changes: [
      {
        file: 'persistence/feed',
        line: 'this.#send(link, follower, result.batches);',
        becomes: 'this.#send(link, follower, result.batches, Infinity);',
      },
      {
        file: 'persistence/feed',
        line: '#send(link, follower, batches) {',
        becomes: '#send(link, follower, batches, through = this.#context.log.commit) {',
      },
      {
        file: 'persistence/feed',
        line: 'const committed = batches.filter((batch) => lastOf(batch) <= log.commit);',
        becomes: 'const committed = batches.filter((batch) => lastOf(batch) <= through);',
      },
    ],
    caughtBy: ['P3'],
  },
  {
    name: 'a read asks nobody else',
    changes: [
      {
        file: 'persistence/reads',
        line: 'if (round.answers.size < this.#context.majority)',
        becomes: 'if (round.answers.size < 1)',
      },
    ],
    caughtBy: ['read', 'linearizable', 'P9'],
  },
  {
    name: 'a read does not wait for the commit',
    changes: [
      {
        file: 'persistence/reads',
        line: 'const ready = this.#waitingForLog.filter(({ through }) => through <= reach);',
        becomes: 'const ready = this.#waitingForLog;',
      },
    ],
    caughtBy: ['read', 'linearizable'],
  },
  {
    name: 'a late answer of an older write counts for the log',
    changes: [
      {
        file: 'persistence/tail',
        line: 'if (this.has({ index, chain }) === true)',
        becomes: 'if (index <= this.last)',
      },
    ],
    caughtBy: ['P3', 'P5', 'halt'],
  },
  {
    name: 'a stretch is taken up though its place in common is gone',
    changes: [
      {
        file: 'view/sync',
        line: 'if (stretch.common && log.has(stretch.common) === false)',
        becomes: 'if (false)',
      },
    ],
    caughtBy: ['crash', 'halt', 'P2', 'P3', 'invalid'],
  },
  {
    name: 'a pull is served from what is not yet on disk',
    changes: [
      {
        file: 'persistence/pull',
        line: 'return committedOnly ? Math.min(commit, durable) : durable;',
        becomes: 'return committedOnly ? commit : this.#context.log.last;',
      },
    ],
    caughtBy: ['P3', 'P4', 'P5', 'halt'],
  },
  {
    name: 'a TERM beyond the commit index counts where a failed write took the log back',
    changes: [
      {
        file: 'persistence/tail',
        line: 'this.#batches.slice(this.#through(this.#floor.index), this.#through(committed))',
        becomes: 'this.after(this.#floor.index)',
      },
    ],
    caughtBy: ['C1', 'P3', 'C7', 'halt'],
  },
  {
    name: 'a body that changed on its way is taken up',
    changes: [
      {
        file: 'persistence/frames',
        line: 'const fresh = batches.filter((batch) => lastOf(batch) > log.last);',
        becomes:
          'const changed = (batch) => (clock.now % 16 === 0 ? { ...batch, bodies: batch.bodies.map((byte) => byte ^ 1) } : batch);\n' +
          'const fresh = batches.filter((batch) => lastOf(batch) > log.last).map(changed);',
      },
      {
        file: 'entries/batch',
        line: 'sameBytes(chainOf(before, batch), batch.chain) && bodiesMatch(batch)',
        becomes: 'sameBytes(chainOf(before, batch), batch.chain)',
      },
    ],
    caughtBy: ['P3', 'crash', 'invalid'],
  },
  {
    name: 'a log is cut one entry too far',
    changes: [
      {
        file: 'persistence/tail',
        line: 'this.#cuts.push({ at: index, batches: this.#cut(index) });',
        becomes:
          'const kept = this.#batches[this.#through(index)];\n' +
          'this.#cuts.push({ at: index, batches: this.#cut(index) });\n' +
          'if (lastOf(kept) > kept.first) this.#batches.push(kept);',
      },
    ],
    caughtBy: ['P2', 'P3', 'crash', 'halt', 'disk'],
  },
  {
    name: 'a commit takes in the batch after it',
    changes: [
      {
        file: 'persistence/tail',
        line: 'const risen = this.#batches.slice(from, this.#through(index));',
        becomes:
          'const risen = this.#batches.slice(from).filter(({ first }) => first <= index + 1);',
      },
    ],
    caughtBy: ['P3', 'C1', 'halt'],
  },
  {
    name: 'a feed leaves out the bodies of all entries',
    changes: [
      {
        file: 'entries/batch',
        line: 'return without(batch, ({ meta }) => meta.kind === KIND.message);',
        becomes: 'return without(batch, () => true);',
      },
    ],
    workload: 'whole',
    caughtBy: ['invalid'],
  },
  {
    name: 'an erasure takes the next message of the batch too',
    changes: [
      {
        file: 'entries/drop',
        line: 'return without(batch, (entry) => drops(drop, entry));',
        becomes:
          'const next = ({ index, meta }) => drops(drop, { index: index - 1, meta });\n' +
          'return without(batch, (entry) => drops(drop, entry) || next(entry));',
      },
    ],
    caughtBy: ['erasure'],
  },
  {
    name: 'a shared part goes with the first body that needs it',
    changes: [
      {
        file: 'entries/batch',
        line: 'entries.some((entry, at) => kept[at] && entry.shared === i + 1)',
        becomes: 'entries.every((entry, at) => kept[at] || entry.shared !== i + 1)',
      },
    ],
    workload: 'whole',
    caughtBy: ['P3', 'invalid', 'C4'],
  },
  {
    name: 'a second erasure in a batch forgets the first',
    changes: [
      {
        file: 'entries/batch',
        line: 'return !lacks(batch, place) && !left({ index: batch.first + place, meta });',
        becomes: 'return !left({ index: batch.first + place, meta });',
      },
    ],
    caughtBy: ['P3', 'invalid'],
  },
  {
    name: 'a lost COMMIT is never made up for',
    changes: [
      {
        file: 'persistence/epoch-gate',
        line: 'committed > log.commit)',
        becomes: 'committed > log.last)',
      },
    ],
    caughtBy: ['P7'],
  },
]
