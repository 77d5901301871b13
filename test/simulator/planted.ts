// Planted bugs: one-line changes to a copy of the built machines, to prove that the checkers can
// fail. The product itself knows nothing of them. A line that is no longer there is an error, so a
// bug cannot quietly stop being planted.

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'
import type { PersistenceReplica } from '../../protocol/replicas/persistence.js'
import type { ProcessingReplica } from '../../protocol/replicas/processing.js'
import type { Workload } from './simulation.js'
import { PersistenceOnly } from './workload/persistence-only.js'
import { Whole } from './workload/whole.js'

export interface Bug {
  readonly name: string
  readonly workload: 'persistence' | 'whole'
  readonly file: string
  /** As the compiler writes it; once in the file. */
  readonly line: string
  readonly becomes: string
  /** Which invariants may notice. */
  readonly caughtBy: readonly string[]
}

export const BUGS: readonly Bug[] = [
  {
    name: 'a majority of permissions makes a holder',
    workload: 'persistence',
    file: 'mutex/ricart-agrawala',
    line: 'if (this.#wanting === null || this.#outstanding.size > 0)',
    becomes: 'if (this.#wanting === null || this.#outstanding.size > this.#others.length / 2)',
    caughtBy: ['P1', 'halt', 'P2'],
  },
  {
    name: 'a kept permission is not given back',
    workload: 'persistence',
    file: 'mutex/ricart-agrawala',
    line: 'const gave = this.#permissions.delete(peer)',
    becomes: 'const gave = false',
    caughtBy: ['P1', 'halt', 'P2'],
  },
  {
    name: 'a REQUEST that overtakes INSTALL is dropped',
    workload: 'persistence',
    file: 'log/in-view',
    line: 'if (coming && this.#kept.length < MAX_KEPT)',
    becomes: 'if (coming && this.#kept.length < 0)',
    caughtBy: ['P7'],
  },
  {
    name: 'a promise is not persisted',
    workload: 'persistence',
    file: 'view/change',
    line: 'const batch = { promised: epoch, incarnations: this.#s.incarnationList }',
    becomes: 'const batch = { incarnations: this.#s.incarnationList }',
    caughtBy: ['P5'],
  },
  {
    name: 'the view row is written before the log',
    workload: 'persistence',
    file: 'view/change',
    line: 'if (log.has(message.last) === true) {',
    becomes: 'if (log.last >= 0) {',
    caughtBy: ['P2', 'P3', 'halt', 'crash'],
  },
  {
    name: 'the longest log wins whatever its view',
    workload: 'persistence',
    file: 'view/proposal',
    line: 'compareEpochs(a[1].logView, b[1].logView) || a[1]',
    becomes: 'a[1]',
    caughtBy: ['P2', 'P3', 'halt'],
  },
  {
    name: 'a restarted replica goes on in its old view',
    workload: 'persistence',
    file: 'view/standing',
    line: "this.status = this.votes ? 'outside' : 'learner'",
    becomes: "this.status = this.view.epoch.counter > 0 ? 'normal' : 'outside'",
    caughtBy: ['P1', 'P2', 'P3', 'P5', 'P7', 'halt'],
  },
  {
    name: 'the holder counts itself before its fsync',
    workload: 'persistence',
    file: 'log/appender',
    line: 'slot === self ? log.durable',
    becomes: 'slot === self ? log.last',
    caughtBy: ['P3'],
  },
  {
    name: 'one file is enough for a commit',
    workload: 'persistence',
    file: 'log/appender',
    line: 'durable[majority - 1]',
    becomes: 'durable[0]',
    caughtBy: ['P3'],
  },
  {
    name: 'the new term is not checked',
    workload: 'persistence',
    file: 'log/admission',
    line: 'if (order.term !== term || order.slot !== owner?.slot || order.boot !== owner.boot)',
    becomes: 'if (order.term > term)',
    caughtBy: ['C1', 'C2', 'C7', 'P3', 'crash'],
  },
  {
    name: 'a gap in k is accepted',
    workload: 'persistence',
    file: 'log/admission',
    line: 'if (order.k > expectedK)',
    becomes: 'if (order.k > expectedK + 1)',
    caughtBy: ['C7'],
  },
  {
    name: 'entries take no new stamp',
    workload: 'persistence',
    file: 'log/appender',
    line: 'lamport: this.#s.clock.tick()',
    becomes: 'lamport: this.#s.clock.now',
    caughtBy: ['P6'],
  },
  {
    name: 'the feed runs ahead of the commit',
    workload: 'persistence',
    file: 'log/feed',
    line: 'STRETCH_ENTRIES, log.commit - follower.sent)',
    becomes: 'STRETCH_ENTRIES, log.last - follower.sent)',
    caughtBy: ['P3', 'P7'],
  },
  {
    name: 'a read asks nobody else',
    workload: 'persistence',
    file: 'log/reads',
    line: 'if (round.answers.size < this.#s.majority)',
    becomes: 'if (round.answers.size < 1)',
    caughtBy: ['read'],
  },
  {
    name: 'a blank file votes',
    workload: 'persistence',
    file: 'view/standing',
    line: 'if (this.incarnation.counter === 1)',
    becomes: 'if (this.incarnation.counter >= 1)',
    caughtBy: ['P3', 'P2', 'P7', 'halt', 'read'],
  },
  {
    name: 'a commit counts on members of the view only',
    workload: 'persistence',
    file: 'log/appender',
    line: 'durable[majority - 1]',
    becomes: 'durable[Math.floor(this.#s.memberSlots.length / 2)]',
    caughtBy: ['P3'],
  },
  {
    name: "a blank file's promise counts",
    workload: 'persistence',
    file: 'view/proposal',
    line: 'if (promised.learner)',
    becomes: 'if (promised.learner && promised.last.index < 0)',
    caughtBy: ['P3', 'P2', 'halt', 'read'],
  },
  {
    name: 'catch-up keeps its old promise',
    workload: 'persistence',
    file: 'view/joining',
    line: 'this.#s.promised = maxEpoch(this.#s.promised, pulled.promised)',
    becomes: 'void maxEpoch',
    caughtBy: ['P3', 'P2', 'halt'],
  },
  {
    name: 'unanswered appends are not put back',
    workload: 'whole',
    file: 'log/writers',
    line: 'this.#queue = [...this.#unanswered.map(({ pending }) => pending), ...this.#queue]',
    becomes: 'void 0',
    caughtBy: ['P7'],
  },
  {
    name: 'a new holder does not fetch what a REPLY named',
    workload: 'persistence',
    file: 'log/appender',
    line: 'this.#required = Math.max(this.#required, message.last)',
    becomes: 'void message',
    caughtBy: ['P1', 'P2', 'halt'],
  },
  {
    name: 'a repeated send is a new one',
    workload: 'whole',
    file: 'order/decide',
    line: 'if (seq < state.next)',
    becomes: 'if (seq < 0)',
    caughtBy: ['C3', 'C5', 'halt'],
  },
  {
    name: 'votes are not compared',
    workload: 'whole',
    file: 'order/coordinator',
    line: 'const needed = Math.floor(voters.size / 2) + 1',
    becomes: 'const needed = 1',
    caughtBy: ['C4', 'C2', 'C5'],
  },
  {
    name: 'a refusal consumes no seq',
    workload: 'whole',
    file: 'order/state',
    line: 'stream.next = seq + 1',
    becomes: 'stream.next = code === 0 ? seq + 1 : seq',
    caughtBy: ['C3', 'C5', 'halt'],
  },
  {
    name: 'a receipt names the place before',
    workload: 'whole',
    file: 'sessions/sessions',
    line: 'return answered(0, entry.index, entry.time)',
    becomes: 'return answered(0, entry.index - 1, entry.time)',
    caughtBy: ['C5'],
  },
]

interface Copy {
  readonly PersistenceReplica: typeof PersistenceReplica
  readonly ProcessingReplica: typeof ProcessingReplica
}

const BUILT = fileURLToPath(new URL('../../protocol', import.meta.url))

/** The machines of a copy of the built product with one line changed. */
async function plant(bug: Bug): Promise<Copy> {
  const folder = fileURLToPath(new URL(`planted/${bug.name.replaceAll(' ', '-')}`, import.meta.url))
  rmSync(folder, { recursive: true, force: true })
  cpSync(BUILT, folder, { recursive: true, filter: (path) => !/\.(map|d\.ts)$/.test(path) })
  const path = join(folder, `${bug.file}.js`)
  const source = readFileSync(path, 'utf8')
  if (source.split(bug.line).length !== 2) {
    throw new Error(`"${bug.name}": its line is not once in ${bug.file}: ${bug.line}`)
  }
  writeFileSync(
    path,
    source.replace(bug.line, () => bug.becomes),
  )
  const load = async (name: string): Promise<unknown> =>
    import(pathToFileURL(join(folder, `replicas/${name}.js`)).href)
  const loaded = [await load('persistence'), await load('processing')]
  return Object.assign({}, ...loaded) as Copy
}

/** Makes workloads that run with the bug. */
export async function planted(bug: Bug): Promise<() => Workload> {
  const copy = await plant(bug)
  if (bug.workload === 'persistence') {
    return () => new PersistenceOnly((config) => new copy.PersistenceReplica(config))
  }
  return () =>
    new Whole({
      persistence: (config) => new copy.PersistenceReplica(config),
      processing: (config) => new copy.ProcessingReplica(config),
    })
}
