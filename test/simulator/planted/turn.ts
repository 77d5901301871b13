// Bugs of the turn: the right to append (Ricart & Agrawala, Lamport clocks). P1 and P6.

import type { Bug } from './bug.js'

const TURN = 'mutex/ricart-agrawala'

export const TURN_BUGS: readonly Bug[] = [
  {
    name: 'a majority of permissions makes a holder',
    changes: [
      {
        file: TURN,
        line: 'if (this.#wanting === null || this.#outstanding.size > 0)',
        becomes: 'if (this.#wanting === null || this.#outstanding.size > this.#others.length / 2)',
      },
    ],
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'a kept permission is not given back',
    changes: [
      {
        file: TURN,
        line: 'const gave = this.#permissions.delete(peer)',
        becomes: 'const gave = false',
      },
    ],
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'a REPLY counts without its stamp',
    changes: [
      {
        file: TURN,
        line: 'if (this.#wanting !== stamp || !this.#outstanding.delete(from))',
        becomes: 'if (this.#wanting === null || !this.#outstanding.delete(from))',
      },
    ],
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'two equal stamps have no order',
    changes: [
      {
        file: TURN,
        line: '(mine < stamp || (mine === stamp && this.#self < from))',
        becomes: 'mine < stamp',
      },
    ],
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'a holder gives its permission away',
    changes: [{ file: TURN, line: 'if (this.#holding || first)', becomes: 'if (first)' }],
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'a deferred REQUEST gets no REPLY',
    changes: [
      {
        file: TURN,
        line: 'for (const [peer, stamp] of deferred)',
        becomes: 'for (const [peer, stamp] of deferred.slice(1))',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a turn goes on into the next view',
    changes: [
      { file: TURN, line: 'this.#holding = false;\n        this.#wanting = null;', becomes: '' },
    ],
    caughtBy: ['P1', 'P2', 'P7', 'halt', 'C6'],
  },
  {
    name: 'a REQUEST that overtakes INSTALL is dropped',
    changes: [
      {
        file: 'persistence/epoch-gate',
        line: 'if (coming && this.#kept.length < MAX_KEPT)',
        becomes: 'if (coming && this.#kept.length < 0)',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a frame of another view counts',
    changes: [
      {
        file: 'persistence/epoch-gate',
        line: 'if (serving && sameEpoch(epoch, this.#context.epoch)) {',
        becomes: 'if (serving) {',
      },
    ],
    caughtBy: ['P1', 'P2', 'P3', 'P5', 'halt'],
  },
  {
    name: 'a new holder does not fetch what a REPLY named',
    changes: [
      {
        file: 'persistence/appender',
        line: 'this.#required = Math.max(this.#required, message.last)',
        becomes: 'void message',
      },
    ],
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'entries take no new stamp',
    changes: [
      {
        file: 'persistence/sequencer',
        line: 'lamport: this.#context.clock.tick()',
        becomes: 'lamport: this.#context.clock.now',
      },
    ],
    caughtBy: ['P6'],
  },
  {
    name: 'a message does not raise the clock',
    changes: [
      {
        file: 'clocks/lamport',
        line: 'this.#now = Math.max(this.#now, stamp) + 1;',
        becomes: 'this.#now += 1;',
      },
    ],
    caughtBy: ['P6'],
  },
  {
    name: 'a restart forgets the last stamp',
    changes: [
      {
        file: 'persistence/context',
        line: 'new LamportClock(recovered?.lamport ?? 0)',
        becomes: 'new LamportClock(0)',
      },
    ],
    caughtBy: ['P6'],
  },
]
