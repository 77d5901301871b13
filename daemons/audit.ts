// Verifies the files of a cluster: node dist/daemons/audit.js --dir .troca [--json]
//   [--replicas s1,s2] [--at INDEX]
// The audit recomputes each chain from entry 1 and compares what the files have committed. The
// daemons may run meanwhile. With --replicas it reads the files of these alone, and says which it
// has not seen. --at chooses the entry whose chain is shown, to compare it with other machines by
// eye. Exit 0: no fault; 1: a fault, a difference, or no file to verify.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pathsOf, readConfig } from './provision/config.js'
import { nameOf } from './net/identity.js'
import { auditFile, chainOfFile } from './storage/audit.js'
import type { FileAudit } from './storage/audit.js'

interface Verdict {
  readonly replica: string
  readonly last: number
  readonly committed: number
  /**
   * Hex, at `chainAt`, the last entry that all files have committed. Files that agree have it
   * equal.
   */
  readonly chain: string
  readonly chainAt: number
  /** null: no fault. */
  readonly fault: string | null
}

const NONE = new Uint8Array(0)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function progress(name: string, text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${name}: ${text}`)
}

async function audit(name: string, path: string): Promise<FileAudit | string> {
  if (!existsSync(path)) return `${path} is missing`
  try {
    return await auditFile(path, (verified, of) => progress(name, `${verified} of ${of} entries`))
  } catch (error) {
    return (error as Error).message
  } finally {
    progress(name, 'read\n')
  }
}

/** Compares each file with the one that has committed most, at the last index that both have. */
async function compare(
  audits: ReadonlyMap<string, FileAudit | string>,
  at: number | null,
  historyId: string,
): Promise<Verdict[]> {
  const read = [...audits.values()].filter((one): one is FileAudit => typeof one !== 'string')
  const furthest = read.reduce<FileAudit | null>(
    (most, one) => (!most || one.commit > most.commit ? one : most),
    null,
  )
  const common = Math.min(...read.map(({ commit }) => commit))
  const chainAt = at ?? common
  const verdicts: Verdict[] = []
  for (const [replica, one] of audits) {
    if (typeof one === 'string') {
      verdicts.push({ replica, last: 0, committed: 0, chain: '', chainAt: 0, fault: one })
      continue
    }
    const { last, commit: committed, path } = one
    const own = await chainOfFile(path, committed)
    const theirs = await chainOfFile(furthest!.path, committed)
    const same = own !== null && theirs !== null && hex(own) === hex(theirs)
    const differs = same ? null : `differs from the others at or below entry ${committed}`
    const fault = one.fault ?? anotherHistory(one, historyId) ?? differs
    const there = await chainOfFile(path, chainAt)
    verdicts.push({ replica, last, committed, chain: hex(there ?? NONE), chainAt, fault })
  }
  return verdicts
}

function anotherHistory({ genesis }: FileAudit, historyId: string): string | null {
  if (!genesis || genesis.historyId === historyId) return null
  return `is of history ${genesis.historyId}; cluster.yaml names ${historyId}`
}

function report(verdicts: readonly Verdict[], sound: boolean, unseen: readonly string[]): string {
  const lines = verdicts.map(({ replica, last, committed, chain, chainAt, fault }) => {
    if (fault) return `${replica}  ${fault}`
    const held = `${last} entries, ${committed} committed`
    const shown = chain.slice(0, 16) || 'no batch ends there'
    return `${replica}  ${held}, chain at ${chainAt}: ${shown}  sound`
  })
  if (!sound) return [...lines, 'the files do not agree', ''].join('\n')
  if (unseen.length === 0) return [...lines, 'all files agree', ''].join('\n')
  const at = verdicts[0]?.chainAt ?? 0
  const sentences = [
    `the files of this machine are sound; not seen: ${unseen.join(' ')}`,
    `troca verify --at ${at} on their machines must show the same chain`,
  ]
  return [...lines, ...sentences, ''].join('\n')
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string', default: '.troca' },
      replicas: { type: 'string' },
      at: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const at = values.at === undefined ? null : Number(values.at)
  if (at !== null && !(Number.isInteger(at) && at >= 0)) {
    throw new Error(`--at ${values.at}: the index of an entry is needed`)
  }
  const config = readConfig(join(values.dir, 'cluster.yaml'))
  const wanted = values.replicas?.split(',')
  const all = config.replicas.filter(({ role }) => role === 'persistence').map(nameOf)
  const names = all.filter((name) => wanted?.includes(name) ?? true)
  const unseen = all.filter((name) => !names.includes(name))
  if (names.length === 0)
    throw new Error(`no persistence replica is here; not seen: ${all.join(' ')}`)
  const audits = new Map<string, FileAudit | string>()
  for (const name of names) audits.set(name, await audit(name, pathsOf(config, name).data))
  const verdicts = await compare(audits, at, config.historyId)
  const sound = verdicts.every(({ fault }) => fault === null)
  const told = { agree: sound && unseen.length === 0, sound, unseen, files: verdicts }
  const text = values.json ? `${JSON.stringify(told)}\n` : report(verdicts, sound, unseen)
  process.stdout.write(text)
  return sound ? 0 : 1
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`troca audit: ${(error as Error).message}\n`)
    process.exitCode = 1
  },
)
