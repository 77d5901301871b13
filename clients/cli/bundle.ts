// Lays out a bundle, which `troca bundle` wrote: checks its names, then extracts it beside its place
// and renames the folder, so that a folder is whole or absent.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { extract, list } from 'tar'
import { Client } from '../client.js'
import { fingerprintsIn } from './authority.js'
import { Context } from './context.js'
import { EXIT, Failure } from './failure.js'
import { MACHINE_FILE } from './machine.js'
import { sayMachine } from './machine-texts.js'

/** All that a bundle may hold. */
const CONTENT = [
  /^(cluster\.yaml|client\.json|ca\.pem|machine)$/,
  /^(certificates|data)\/?$/,
  /^certificates\/[ps][1-9]\.(key|pem)$/,
  /^data\/s[1-9]\.db$/,
]

const STATUS_MS = 3_000

/** Throws a Failure unless the folder is absent or empty. */
export function demandEmpty(dir: string): void {
  if (!existsSync(dir) || readdirSync(dir).length === 0) return
  throw new Failure(EXIT.failed, sayMachine('folderInUse', { dir }))
}

/** Makes a folder by `fill`, whole or not at all. */
export async function makeFolder(
  dir: string,
  fill: (draft: string) => Promise<void>,
): Promise<void> {
  demandEmpty(dir)
  mkdirSync(dirname(dir), { recursive: true })
  const draft = mkdtempSync(join(dirname(dir), `.${basename(dir)}-`))
  try {
    await fill(draft)
    if (existsSync(dir)) rmdirSync(dir)
    renameSync(draft, dir)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  }
}

export interface Laid {
  /** Name of the machine; null: the bundle is a client's. */
  readonly machine: string | null
  /** Persistence replicas with an empty store of the bundle. */
  readonly stores: readonly string[]
}

async function checkContent(file: string): Promise<void> {
  const names: string[] = []
  const fail = (reason: string): never => {
    throw new Failure(EXIT.failed, sayMachine('notBundle', { file, reason }))
  }
  const strange: string[] = []
  try {
    await list({
      file,
      strict: true,
      onReadEntry: ({ path, type }) => {
        names.push(path)
        const known = CONTENT.some((one) => one.test(path))
        if (!known || !['File', 'OldFile', 'Directory'].includes(type)) strange.push(path)
      },
    })
  } catch (error) {
    fail((error as Error).message)
  }
  if (strange.length > 0) fail(`it has ${strange[0]}`)
  if (!names.includes('client.json')) fail('client.json is not in it')
}

function newStores(dir: string): string[] {
  const data = join(dir, 'data')
  const files = existsSync(data) ? readdirSync(data) : []
  return files.filter((one) => one.endsWith('.db')).map((one) => one.slice(0, -'.db'.length))
}

/** Extracts a bundle into a folder; `accept` throws if its authority is not to be trusted. */
export async function layOut(
  file: string,
  dir: string,
  accept: (fingerprints: readonly string[]) => Promise<void>,
): Promise<Laid> {
  demandEmpty(dir)
  await checkContent(file)
  await makeFolder(dir, async (draft) => {
    await extract({ file, cwd: draft, strict: true, preserveOwner: false })
    const certificates = join(draft, 'certificates')
    if (existsSync(certificates)) chmodSync(certificates, 0o700)
    await accept(fingerprintsIn(draft))
  })
  const named = join(dir, MACHINE_FILE)
  const machine = existsSync(named) ? readFileSync(named, 'utf8').trim() : null
  return { machine, stores: newStores(dir) }
}

/**
 * Whether the cluster has a log already; null: no processing replica can be asked. A replica that
 * begins in a cluster with a log must not have an empty store, but none.
 */
export async function hasRun(dir: string): Promise<boolean | null> {
  const client = new Client({ ...new Context({ dir }).servers(), timeoutMs: STATUS_MS })
  try {
    const { replicas, term } = await client.status()
    return term > 0 || replicas.some(({ last, term: counter }) => last > 0 || counter > 0)
  } catch {
    return null
  } finally {
    client.abandon('asked enough')
  }
}

/** Removes the empty stores of a folder; their replicas begin without a file. */
export function removeStores(dir: string, names: readonly string[]): void {
  for (const name of names) rmSync(join(dir, 'data', `${name}.db`))
}
