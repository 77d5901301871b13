// Bugs of invitations, block lists, ends of accounts and quotas.

import type { Bug } from './bug.js'

const REGISTER = 'state/commands/register'
const DIRECTORY = 'state/directory'

export const DIRECTORY_BUGS: readonly Bug[] = [
  {
    name: 'an invitation is used twice',
    workload: 'whole',
    changes: [
      { file: REGISTER, line: 'known && !known.used && isOpen(known, time)', becomes: 'known' },
      {
        file: 'sessions/registration',
        line: 'known && !known.used && isOpen(known, base.time)',
        becomes: 'known',
      },
    ],
    caughtBy: ['invitation'],
  },
  {
    name: 'an invitation is used up only once the account is committed',
    workload: 'whole',
    changes: [
      {
        file: DIRECTORY,
        line: 'this.#invitations.set(idOf(invited.invitation), invited, this.k);',
        becomes:
          'if (!invited.used) this.#invitations.set(idOf(invited.invitation), invited, this.k);',
      },
    ],
    caughtBy: ['invitation', 'vote', 'C2'],
  },
  {
    name: 'an invitation expires by the clock of each replica',
    workload: 'whole',
    changes: [
      {
        file: REGISTER,
        line: 'return known && !known.used && isOpen(known, time)',
        becomes: 'return known && !known.used && isOpen(known, globalThis.wall ?? 0)',
      },
      {
        file: 'sessions/registration',
        line: 'known && !known.used && isOpen(known, base.time)',
        becomes: 'known && !known.used',
      },
      {
        file: 'replicas/processing',
        line: 'this.#context.now = now;',
        becomes: 'this.#context.now = now;\n        globalThis.wall = now.wall;',
      },
    ],
    caughtBy: ['invitation', 'vote', 'C2'],
  },
  {
    name: 'a replica that asks for no invitation lets anybody in',
    workload: 'whole',
    changes: [
      {
        file: REGISTER,
        line: 'byInvitation && !ledger.isEmpty',
        becomes: 'false',
      },
      {
        file: 'sessions/registration',
        line: "registration === 'invitation' && !base.isEmpty",
        becomes: 'false',
      },
    ],
    caughtBy: ['invitation'],
  },
  {
    name: 'the overlay has no block lists',
    workload: 'whole',
    changes: [
      {
        file: DIRECTORY,
        line: 'return this.#blocked.get(user) ?? this.#directory.blocked(user);',
        becomes: 'return this.#directory.blocked(user);',
      },
    ],
    caughtBy: ['block', 'vote', 'C2'],
  },
  {
    name: 'the name of a closed account is free again',
    workload: 'whole',
    changes: [
      {
        file: DIRECTORY,
        line: 'return this.accounts.has(name) || this.#closed.has(name);',
        becomes: 'return this.accounts.has(name);',
      },
    ],
    caughtBy: ['closed', 'C5', 'linearizable'],
  },
  {
    name: 'sessions outlive their account',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/session-router',
        line: 'const { version = Infinity }',
        becomes: 'const { version = 1 }',
      },
    ],
    caughtBy: ['closed', 'linearizable', 'receipt', 'deleted'],
  },
  {
    name: 'the answer to a lookup is shown to a user who has logged out',
    workload: 'whole',
    changes: [
      {
        file: 'sessions/request-context',
        line: 'if (session.user === user)',
        becomes: 'if (true)',
      },
    ],
    caughtBy: ['closed', 'block', 'receipt'],
  },
  {
    name: 'the end of an account erases only what is in memory',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/eraser',
        line: 'this.#eraseMailbox(first);',
        becomes: 'this.#erase([{ ...first, indices: [] }], 1);',
      },
    ],
    caughtBy: ['erasure', 'read'],
  },
  {
    name: 'the end of an account is taken for carried out after its first page',
    workload: 'whole',
    changes: [
      {
        file: 'persistence/eraser',
        line: 'page.more ? 0 : 1',
        becomes: '1',
      },
    ],
    caughtBy: ['erasure', 'read'],
  },
  {
    name: 'deleted messages count for the quota',
    workload: 'whole',
    changes: [
      { file: 'state/mailbox-sizes', line: 'mailbox.bytes -= bytes;', becomes: 'void bytes;' },
    ],
    caughtBy: ['quota'],
  },
]
