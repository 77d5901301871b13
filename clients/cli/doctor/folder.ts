// Checks of the cluster's folder, without a question to any replica: Node, the cluster file,
// certificates, the modes of files with secrets, free space on the disk.

import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  statfsSync,
} from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_DIR, daemonProgram, run } from '../programs.js'
import type { ReplicaPorts } from '../cluster-file.js'
import { isLoopback } from '../../../protocol/host.js'
import { EXIT, Failure } from '../failure.js'
import { fine, fault } from './finding.js'
import { inWords } from './in-words.js'
import type { Finding } from './finding.js'

const DAY_MS = 86_400_000
const SOON_DAYS = 30
/** Earlier than for certificates, because every client needs the new ca.pem, too. */
const AUTHORITY_SOON_DAYS = 180
const LOW_BYTES = 1024 ** 3
const TOO_LOW_BYTES = 64 * 1024 ** 2

export interface Inspected {
  readonly directory: string
  readonly tls: boolean
  /** Whether client.json has the addresses of the cluster file. */
  readonly clientFileIsCurrent: boolean
  readonly replicas: readonly Inspection[]
  readonly certificates: readonly Certificate[]
}

/** A replica of the cluster file; `uri` is the name that its certificate must have. */
export interface Inspection extends Omit<ReplicaPorts, 'listen'> {
  readonly uri: string
}

type Certificate = {
  readonly name: string
  readonly file: string
  /** Whether a file of it is in the folder. */
  readonly here: boolean
} & (
  | { readonly problem: string; readonly expires?: undefined }
  | {
      readonly problem: string | null
      readonly expires: number
      readonly authorityExpires: number
      readonly fingerprint: string
    }
)

export function checkNode(): Finding {
  const { version } = process
  const file = readFileSync(join(PACKAGE_DIR, 'package.json'), 'utf8')
  const needed = (JSON.parse(file) as { engines: { node: string } }).engines.node
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  const [majorNeeded = 0, minorNeeded = 0] = needed.replace('>=', '').split('.').map(Number)
  const fits = major > majorNeeded || (major === majorNeeded && minor >= minorNeeded)
  if (fits) return fine('node', '', 'node', { version })
  return fault('fail', 'node', '', ['nodeOld', 'nodeOldNext'], { version, needed })
}

/** `inspected` is null if the cluster file is invalid; then no further check is possible. */
export async function checkClusterFile(
  dir: string,
): Promise<{ findings: Finding[]; inspected: Inspected | null }> {
  const file = join(dir, 'cluster.yaml')
  const { code, stdout, stderr } = await run(daemonProgram('inspect'), ['--dir', dir])
  if (code !== 0) throw new Failure(EXIT.failed, stderr.trim())
  const told = JSON.parse(stdout) as { problems: string[] } & Inspected
  if (told.problems.length > 0) {
    const findings = told.problems.map((problem) =>
      fault('fail', 'config', 'cluster.yaml', ['configWrong', 'configWrongNext'], {
        problem,
        file,
      }),
    )
    return { findings, inspected: null }
  }
  const findings = [fine('config', 'cluster.yaml', 'config')]
  const { tls, clientFileIsCurrent, replicas } = told
  if (!tls) findings.push(fault('warn', 'tls', 'cluster.yaml', ['tlsOff', 'tlsOffNext']))
  const open = replicas.map(({ debugHost }) => debugHost).filter((host) => !isLoopback(host))
  for (const host of new Set(open)) {
    const next = ['debugOpen', 'debugOpenNext'] as const
    findings.push(fault('warn', 'debug-host', 'cluster.yaml', next, { host, file }))
  }
  findings.push(
    clientFileIsCurrent
      ? fine('client-file', 'client.json', 'clientFile')
      : fault('warn', 'client-file', 'client.json', ['clientFileOld', 'clientFileOldNext']),
  )
  return { findings, inspected: told }
}

/** Checks the certificates of these replicas, and others that are in the folder. */
export function checkCertificates(
  { certificates: all }: Inspected,
  own: readonly Inspection[],
): Finding[] {
  const isOwn = (name: string): boolean => own.some((replica) => replica.name === name)
  const certificates = all.filter(({ name, here }) => here || isOwn(name))
  const daysTo = (time: number): number => Math.floor((time - Date.now()) / DAY_MS)
  const findings = certificates.map(({ name, problem, expires = 0 }) => {
    const days = daysTo(expires)
    if (problem !== null) {
      const next = ['certificateWrong', 'renewNext'] as const
      return fault('fail', 'certificate', name, next, { problem })
    }
    if (days >= SOON_DAYS) return fine('certificate', name, 'certificate', { days })
    return fault('warn', 'certificate', name, ['certificateEnds', 'renewNext'], { days })
  })
  const ends = certificates.flatMap((one) => (one.expires ? [daysTo(one.authorityExpires)] : []))
  const days = Math.min(Infinity, ...ends)
  if (days < AUTHORITY_SOON_DAYS) {
    const next = ['authorityEnds', 'authorityEndsNext'] as const
    findings.push(fault('warn', 'authority', 'ca.pem', next, { days }))
  }
  return findings
}

/** Files that are for their owner alone. */
function secrets(dir: string): string[] {
  const inside = (folder: string, wanted: RegExp): string[] => {
    const path = join(dir, folder)
    const names = existsSync(path) ? readdirSync(path) : []
    return names.filter((name) => wanted.test(name)).map((name) => join(path, name))
  }
  return [
    ...inside('certificates', /\.key$/),
    ...inside('credentials', /./),
    ...inside('keys', /./),
    ...inside('.', /^known-keys\.json$/),
  ]
}

export function checkModes(dir: string): Finding[] {
  const files = secrets(dir).map((file) => ({ file, mode: statSync(file).mode & 0o777 }))
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0)
  if (open.length === 0) return [fine('permissions', '', 'private', { count: files.length })]
  return open.map(({ file, mode }) => {
    const values = { file, mode: mode.toString(8) }
    return fault(
      'fail',
      'permissions',
      file.slice(dir.length + 1),
      ['readable', 'readableNext'],
      values,
    )
  })
}

export function checkDisk(dir: string): Finding[] {
  const { bavail, blocks, bsize } = statfsSync(dir)
  const free = bavail * bsize
  const values = { free: inWords(free), all: inWords(blocks * bsize), file: dir }
  const low = ['diskLow', 'diskLowNext'] as const
  const room =
    free >= LOW_BYTES
      ? fine('disk', '', 'disk', values)
      : fault(free < TOO_LOW_BYTES ? 'fail' : 'warn', 'disk', '', low, values)
  try {
    accessSync(dir, constants.W_OK)
    return [room]
  } catch {
    return [room, fault('fail', 'disk', dir, ['notWritable', 'notWritableNext'], values)]
  }
}
