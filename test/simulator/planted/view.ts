// Bugs of the view change: promises, the new log, INSTALL, joining. P2 to P5, P8.

import type { Bug } from './bug.js'

const CHANGE = 'view/change'
const INSTALLATION = 'view/installation'
const PROPOSAL = 'view/proposal'

export const VIEW_BUGS: readonly Bug[] = [
  {
    name: 'a promise is not persisted',
    changes: [
      {
        file: CHANGE,
        line: 'const batch = { promised: epoch, incarnations: this.#context.incarnationList }',
        becomes: 'const batch = { incarnations: this.#context.incarnationList }',
      },
    ],
    caughtBy: ['P5'],
  },
  {
    name: 'PROMISE is sent before queued writes',
    changes: [
      {
        file: CHANGE,
        line: 'const batch = { promised: epoch, incarnations: this.#context.incarnationList };',
        becomes:
          'const batch = { promised: epoch, incarnations: this.#context.incarnationList };\n' +
          'const { last, chain, commit } = this.#context.log;\n' +
          'const durable = { promised: epoch, logView: this.#context.epoch, last, chain, commit };\n' +
          'this.#promise = { epoch, durable };\n' +
          'then(durable);',
      },
    ],
    caughtBy: ['P5'],
  },
  {
    name: 'a lower epoch is promised too',
    changes: [
      {
        file: CHANGE,
        line: 'if (this.#context.isAbovePromise(epoch)) {',
        becomes: 'if (compareEpochs(epoch, this.#context.epoch) > 0) {',
      },
    ],
    caughtBy: ['P4', 'P5', 'P7', 'P3', 'halt'],
  },
  {
    name: 'the view row is written before the log',
    changes: [
      {
        file: INSTALLATION,
        line: 'if (this.#context.log.has(message.last) === true) {',
        becomes: 'if (this.#context.log.last >= 0) {',
      },
    ],
    caughtBy: ['P2', 'P3', 'halt', 'crash'],
  },
  {
    name: 'INSTALL is applied twice',
    changes: [
      {
        file: CHANGE,
        line: 'if (sameEpoch(this.#context.epoch, epoch)) {\n            this.#sayInstalled(epoch);',
        becomes: 'if (false) {\n            this.#sayInstalled(epoch);',
      },
      {
        file: INSTALLATION,
        line: 'sameEpoch(since, epoch) &&\n            compareEpochs(this.#context.epoch, epoch) < 0;',
        becomes: 'sameEpoch(since, epoch);',
      },
    ],
    caughtBy: ['P8', 'P2', 'P3', 'halt', 'P7'],
  },
  {
    name: 'a restarted replica applies an INSTALL of before',
    changes: [
      {
        file: INSTALLATION,
        line: 'since !== null &&\n            sameEpoch(since, epoch) &&',
        becomes: '',
      },
    ],
    caughtBy: ['P2', 'P3', 'P5', 'P7', 'halt', 'P8'],
  },
  {
    name: 'a replica that INSTALL does not name applies it',
    changes: [
      {
        file: INSTALLATION,
        line: 'message.members.some((m) => m.slot === slot && sameIncarnation(m.incarnation, incarnation)) &&',
        becomes: '',
      },
      {
        file: PROPOSAL,
        line: 'const awaited = this.#members.includes(peer) && !this.#installedBy.has(peer);',
        becomes: 'const awaited = !this.#installedBy.has(peer);',
      },
      {
        file: PROPOSAL,
        line: 'this.#context.broadcast(this.#members.filter((slot) => slot !== this.#context.self), this.#install);',
        becomes: 'this.#context.broadcast(this.#others, this.#install);',
      },
    ],
    caughtBy: ['P1', 'P2', 'P3', 'halt', 'P8'],
  },
  {
    name: 'a late promise widens the members',
    changes: [
      {
        file: PROPOSAL,
        line: "if (this.phase !== 'preparing' || !sameEpoch(message.epoch, this.epoch))\n            return;\n        this.#promises.set(from, message);",
        becomes:
          'if (!sameEpoch(message.epoch, this.epoch)) return;\n' +
          'this.#promises.set(from, message);\n' +
          "if (this.phase === 'installing') return this.#sendInstall(this.#install.last);\n" +
          "if (this.phase !== 'preparing') return;",
      },
    ],
    caughtBy: ['P8', 'halt'],
  },
  {
    name: 'the longest log wins whatever its view',
    changes: [
      {
        file: PROPOSAL,
        line: 'compareEpochs(a[1].logView, b[1].logView) || a[1]',
        becomes: 'a[1]',
      },
    ],
    caughtBy: ['P2', 'P3', 'P9', 'halt'],
  },
  {
    name: 'promises of half the members are enough',
    changes: [
      {
        file: PROPOSAL,
        line: 'if (counted.length < this.#context.majority || !this.#promises.has(this.#context.self)) {',
        becomes:
          'if (counted.length < this.#target.length / 2 || !this.#promises.has(this.#context.self)) {',
      },
      {
        file: PROPOSAL,
        line: 'if (members.length < this.#context.majority) {',
        becomes: 'if (false) {',
      },
    ],
    caughtBy: ['P3', 'P9', 'P7', 'halt'],
  },
  {
    name: 'one INSTALLED makes a view active',
    changes: [
      {
        file: PROPOSAL,
        line: 'if (!this.#members.every((slot) => this.#installedBy.has(slot)))',
        becomes: 'if (!this.#members.some((slot) => this.#installedBy.has(slot)))',
      },
    ],
    caughtBy: ['P3', 'P7'],
  },
  {
    name: 'a restarted replica goes on in its old view',
    changes: [
      {
        file: 'persistence/context',
        line: "this.status = this.votes ? 'outside' : 'learner'",
        becomes: "this.status = this.view.epoch.counter > 0 ? 'normal' : 'outside'",
      },
    ],
    caughtBy: ['P1', 'P2', 'P3', 'P5', 'P7', 'halt', 'P8'],
  },
  {
    name: 'catch-up keeps its old promise',
    changes: [
      {
        file: 'view/joining',
        line: 'this.#context.promised = maxEpoch(this.#context.promised, pulled.promised)',
        becomes: 'void maxEpoch',
      },
    ],
    caughtBy: ['P3', 'P2', 'halt'],
  },
  {
    name: "catch-up promises no more than the source's view",
    changes: [
      {
        file: 'view/joining',
        line: 'this.#context.promised = maxEpoch(this.#context.promised, pulled.promised)',
        becomes: 'this.#context.promised = maxEpoch(this.#context.promised, pulled.installed)',
      },
    ],
    caughtBy: ['P3', 'P2', 'halt'],
  },
  {
    name: 'a replica that waits to join stops catching up',
    changes: [
      {
        file: 'view/joining',
        line: 'if (behind > 0)',
        becomes: 'if (behind > this.#context.bounds.near)',
      },
    ],
    caughtBy: ['P7', 'C6', 'crash'],
  },
  {
    name: 'a lost ACTIVE is never made up for',
    changes: [
      {
        file: INSTALLATION,
        line: 'if (!serving || log.commit >= this.#last)',
        becomes: 'if (true)',
      },
    ],
    caughtBy: ['P7'],
  },
  {
    name: 'a replica that never installed the view may not leave it',
    changes: [
      {
        file: CHANGE,
        line: 'this.#membership.lacksInstalled())',
        becomes: 'false)',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'stuck members stay out though too few remain',
    changes: [
      {
        file: 'view/membership',
        line: '[this.#near(free), free, this.#near(all), all]',
        becomes: '[this.#near(free), free]',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a view whose members do not reach each other counts as healthy',
    changes: [{ file: 'view/membership', line: 'if (apart)\n', becomes: 'if (false)\n' }],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a view is not installed where one pull for it is not answered',
    changes: [
      {
        file: INSTALLATION,
        line: 'if (!pulled)\n                return this.#advance(source, message);\n            if (!pulled.common)',
        becomes: 'if (!pulled?.common)',
      },
    ],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a view that was given up is entered',
    changes: [
      {
        file: INSTALLATION,
        line: 'if (this.#message !== message) {\n',
        becomes: 'if (!sameEpoch(this.#context.promised, epoch)) {\n',
      },
    ],
    caughtBy: ['P8', 'P9', 'halt'],
  },
  {
    name: 'members whose promises do not count are proposed again and again',
    changes: [{ file: PROPOSAL, line: '[...silent, ...idle]', becomes: 'silent' }],
    caughtBy: ['P7', 'C6'],
  },
  {
    name: 'a promise is repeated while the log is being changed',
    changes: [
      {
        file: CHANGE,
        line: 'begins: () => (this.#promise = null)',
        becomes: 'begins: () => {}',
      },
    ],
    caughtBy: ['P5'],
  },
]
