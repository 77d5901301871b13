// Plants a bug in a copy of the built machines. A line that is not in the product any more is an
// error, so a planted bug cannot silently disappear.

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { PersistenceReplica } from '../../../protocol/replicas/persistence.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import type { Workload } from '../simulation.js'
import type { WorkloadName } from '../workload/choice.js'
import { PersistenceOnly } from '../workload/persistence-only.js'
import { Whole } from '../workload/whole.js'
import type { Bug } from './bug.js'
import { BUGS } from './bugs.js'

const BUILT = fileURLToPath(new URL('../../../protocol', import.meta.url))
/**
 * This process's folder, since several may plant at once. It lies beside the built files, to find
 * packages.
 */
const COPIES = fileURLToPath(new URL(`copies/${process.pid}`, import.meta.url))

/** Text of the changed files, by path below protocol/. */
export function changedBy(bug: Bug): ReadonlyMap<string, string> {
  const changed = new Map<string, string>()
  for (const { file, line, becomes } of bug.changes) {
    const path = `${file}.js`
    const source = changed.get(path) ?? readFileSync(join(BUILT, path), 'utf8')
    if (source.split(line).length !== 2) {
      throw new Error(`"${bug.name}": its line is not once in ${file}: ${line}`)
    }
    changed.set(
      path,
      source.replace(line, () => becomes),
    )
  }
  return changed
}

/** Makes the copy; the folder that it is in. */
export function plant(bug: Bug): string {
  const folder = join(COPIES, bug.name.replaceAll(/[^a-z]+/gi, '-'))
  if (!existsSync(COPIES)) process.once('exit', () => rmSync(COPIES, { recursive: true }))
  cpSync(BUILT, folder, { recursive: true, filter: (path) => !/\.(map|d\.ts)$/.test(path) })
  for (const [path, text] of changedBy(bug)) writeFileSync(join(folder, path), text)
  return folder
}

/** Plants the bug of this name; undefined: there is none. */
export function plantNamed(name: string): string | undefined {
  const bug = BUGS.find((one) => one.name === name)
  return bug && plant(bug)
}

/** Makes workloads of the machines in a folder. */
export async function load(folder: string): Promise<(name: WorkloadName) => Workload> {
  const from = async (name: string): Promise<unknown> =>
    import(pathToFileURL(join(folder, `replicas/${name}.js`)).href)
  const { PersistenceReplica: Store } = (await from('persistence')) as {
    PersistenceReplica: typeof PersistenceReplica
  }
  const { ProcessingReplica: Processor } = (await from('processing')) as {
    ProcessingReplica: typeof ProcessingReplica
  }
  return (name) =>
    name === 'persistence'
      ? new PersistenceOnly((config) => new Store(config))
      : new Whole({
          persistence: (config) => new Store(config),
          processing: (config) => new Processor(config),
        })
}
