// The archive of a backup: a tar with a manifest, the log in one file, the cluster file, client.json,
// and the certificates unless they are left out. Invariant: nothing is overwritten, nothing is read from
// an archive but files of these names, and each has the checksum that the manifest states. The manifest
// is not signed: an archive is as trustworthy as the place where it was kept.

import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import * as tar from 'tar'
import type { Origin } from '../../protocol/entries/origin.js'

export const MANIFEST = 'backup.json'
export const LOG = 'log.db'
const FORMAT = 1

/** What a backup holds. */
export interface Manifest extends Origin {
  readonly format: number
  /** Persistence slots of the cluster. */
  readonly slots: number
  /** Last entry of the log, and the chain there, hexadecimal. */
  readonly index: number
  readonly chain: string
  /** Time of the last order, ms since 1970. */
  readonly time: number
  /** When the backup was made, ms since 1970. */
  readonly made: number
  /** Whether the private keys of the replicas and of the authority are in it. */
  readonly keys: boolean
  /** SHA-256 of each file, hexadecimal. */
  readonly files: Readonly<Record<string, string>>
}

const NAMES =
  /^(backup\.json|log\.db|cluster\.yaml|client\.json|ca\.pem|certificates\/(ca|[ps]\d)\.(key|pem))$/

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

export function manifestOf(
  facts: Omit<Manifest, 'format' | 'made' | 'files'>,
  files: Manifest['files'],
): Manifest {
  return { format: FORMAT, made: Date.now(), ...facts, files }
}

/** Packs the files below `from` into `out`, which must not exist; readable only by its owner. */
export async function pack(out: string, from: string, names: readonly string[]): Promise<void> {
  const draft = `${out}.part`
  // Reserved at once: two backups into one file must not both go on.
  closeSync(reserve(out))
  try {
    rmSync(draft, { force: true })
    await tar.create({ file: draft, cwd: from, portable: true, mode: 0o600 }, [...names])
    const written = openSync(draft, 'r')
    fsyncSync(written)
    closeSync(written)
    renameSync(draft, out)
  } catch (error) {
    rmSync(draft, { force: true })
    rmSync(out, { force: true })
    throw error
  }
}

function reserve(out: string): number {
  try {
    return openSync(out, 'wx', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new Error(`${out} exists and is not overwritten; name another file, or move it away`, {
        cause: error,
      })
    throw new Error(
      `${out} cannot be written (${code}); name a file in a folder that you may write`,
      {
        cause: error,
      },
    )
  }
}

/** Unpacks an archive into an empty folder; throws unless it is a whole, undamaged backup. */
export async function unpack(file: string, into: string): Promise<Manifest> {
  if (!existsSync(file)) throw new Error(`${file} is missing; name the file that backup wrote`)
  let stranger: string | null = null
  const wanted = (path: string, entry: { readonly type?: string } | object): boolean => {
    const plain = 'type' in entry && (entry.type === 'File' || entry.type === 'OldFile')
    if (NAMES.test(path) && plain) return true
    stranger ??= path
    return false
  }
  try {
    await tar.extract({ file, cwd: into, filter: wanted, strict: true })
  } catch (error) {
    throw notABackup(file, (error as Error).message, error)
  }
  if (stranger !== null) throw notABackup(file, `it holds ${JSON.stringify(stranger)}`)
  const manifest = readManifest(file, join(into, MANIFEST))
  for (const [name, sum] of Object.entries(manifest.files)) {
    const path = join(into, name)
    if (!NAMES.test(name) || !existsSync(path)) throw notABackup(file, `${name} is not in it`)
    if ((await sha256Of(path)) !== sum)
      throw new Error(`${file} is damaged: ${name} is not what was saved; take another backup`)
  }
  return manifest
}

function readManifest(file: string, path: string): Manifest {
  if (!existsSync(path)) throw notABackup(file, `it has no ${MANIFEST}`)
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>
  } catch (error) {
    throw notABackup(file, `its ${MANIFEST} cannot be read`, error)
  }
  const { format, files = {} } = manifest
  if (format !== FORMAT) {
    const has = `it has format ${String(format)}; this version reads ${FORMAT}`
    throw notABackup(file, has)
  }
  for (const name of [LOG, 'cluster.yaml', 'client.json'])
    if (!(name in files)) throw notABackup(file, `it does not hold ${name}`)
  return manifest as Manifest
}

function notABackup(file: string, why: string, cause?: unknown): Error {
  return new Error(`${file} is not a whole backup of Troca: ${why}`, { cause })
}
