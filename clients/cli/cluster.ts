// A whole cluster on this machine: makes it, and starts it until it serves.

import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Client } from '../client.js'
import type { ClusterStatus } from '../cluster-status.js'
import type { Context } from './context.js'
import { EXIT, Failure, serves, whatIsMissing } from './failure.js'
import { isFree } from './free-ports.js'
import { clearProgress, note, progress } from './output.js'
import { daemonProgram, run } from './programs.js'
import { Supervisor } from './supervisor.js'
import { say } from './texts.js'
import { DEBUG_HOST } from './debug-port.js'

const POLL_MS = 100
/** Longer than POLL_MS, because each question to pm2 starts a process. */
const SUPERVISOR_POLL_MS = 2_000
/** After this many restarts a replica counts as failed. */
const RESTARTS_TOO_MANY = 3

export interface ReplicaPorts {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly debugPort: number
}

interface Placed {
  slot: number
  host: string
  port: number
  debugPort: number
}

interface ClusterFile {
  replicas: { processing: Placed[]; persistence: Placed[] }
}

export function replicasOf(dir: string): ReplicaPorts[] {
  const file = parse(readFileSync(join(dir, 'cluster.yaml'), 'utf8')) as ClusterFile
  const named = (letter: string, list: Placed[]): ReplicaPorts[] =>
    list.map(({ slot, ...place }) => ({ name: `${letter}${slot}`, ...place }))
  return [...named('p', file.replicas.processing), ...named('s', file.replicas.persistence)]
}

export async function initCluster(dir: string, args: readonly string[]): Promise<void> {
  clearDemo(dir)
  const ended = await run(daemonProgram('init'), ['--dir', dir, ...args])
  if (ended.code !== 0) {
    throw new Failure(EXIT.failed, ended.stderr.trim() || `init ended with ${ended.code}`)
  }
}

/** Makes new certificates with the cluster's own authority; gives the names of the replicas. */
export async function renewCertificates(dir: string): Promise<string[]> {
  const ended = await run(daemonProgram('init'), ['--dir', dir, '--renew', '--json'])
  if (ended.code !== 0) throw new Failure(EXIT.failed, ended.stderr.trim())
  return (JSON.parse(ended.stdout) as { renewed: string[] }).renewed
}

/** Removes what a failed demo left, if the folder holds nothing else. */
function clearDemo(dir: string): void {
  const demo = join(dir, 'demo')
  if (!existsSync(demo) || readdirSync(dir).length > 1 || new Supervisor(demo).running) return
  rmSync(demo, { recursive: true })
}

async function checkPorts(replicas: readonly ReplicaPorts[]): Promise<void> {
  for (const { name, host, port, debugPort } of replicas) {
    const addresses = [
      { host, port },
      { host: DEBUG_HOST, port: debugPort },
    ]
    for (const address of addresses) {
      if (await isFree(address.host, address.port)) continue
      throw new Failure(EXIT.failed, say('portTaken', { port: address.port, name }))
    }
  }
}

/** Starts all replicas; resolves when the cluster serves and every replica is reachable. */
export async function startCluster(context: Context): Promise<ClusterStatus> {
  const supervisor = new Supervisor(context.dir)
  const replicas = replicasOf(context.dir)
  if (supervisor.running) {
    note(say('alreadyUp'))
  } else {
    await checkPorts(replicas)
    progress(say('starting', { names: replicas.map(({ name }) => name).join(' ') }))
    await supervisor.start()
  }
  return waitUntilServing(context, supervisor, (status) => {
    return serves(status) && status.replicas.every((replica) => replica.reachable)
  })
}

/** Asks for the status until `enough` accepts it; at the time-out, a Failure with the reason. */
async function waitUntilServing(
  context: Context,
  supervisor: Supervisor,
  enough: (status: ClusterStatus) => boolean,
): Promise<ClusterStatus> {
  const client = new Client({ ...context.servers(), timeoutMs: POLL_MS * 10 })
  let asked = performance.now()
  try {
    for (;;) {
      const status = await client.status().catch(() => null)
      if (status && enough(status)) return status
      showProgress(status, replicasOf(context.dir).length)
      if (performance.now() - asked > SUPERVISOR_POLL_MS) {
        await checkNoneDied(supervisor)
        asked = performance.now()
      }
      if (context.leftMs <= 1) {
        await checkNoneDied(supervisor)
        const why = status ? ` ${whatIsMissing(status)}` : ''
        const seconds = context.timeoutMs / 1000
        throw new Failure(EXIT.timedOut, `${say('notReadyInTime', { seconds })}.${why}`)
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  } finally {
    clearProgress()
    client.abandon('asked enough')
  }
}

function showProgress(status: ClusterStatus | null, all: number): void {
  const up = (status?.replicas ?? []).filter((replica) => replica.reachable)
  const names = up.map(({ tier, slot }) => `${tier === 'processing' ? 'p' : 's'}${slot}`)
  progress(
    say('waiting', { up: up.length, all, names: names.length ? `: ${names.join(' ')}` : '' }),
  )
}

async function checkNoneDied(supervisor: Supervisor): Promise<void> {
  const list = await supervisor.list()
  for (const { name } of replicasOf(supervisor.dir)) {
    const found = list.find((one) => one.name === name)
    if (found && found.status !== 'errored' && found.restarts < RESTARTS_TOO_MANY) continue
    const facts = { name, reason: supervisor.lastWords(name), log: supervisor.logPath(name) }
    throw new Failure(EXIT.failed, say('replicaDied', facts))
  }
}

export function hasCluster(dir: string): boolean {
  return existsSync(join(dir, 'cluster.yaml'))
}
