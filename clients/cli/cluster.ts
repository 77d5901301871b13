// The cluster of a folder: makes it, and starts the replicas of this machine until it serves.

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../client.js'
import type { ClusterStatus } from '../cluster-status.js'
import type { ReplicaPorts } from './cluster-file.js'
import type { Context } from './context.js'
import { askDebugPort } from './debug-port.js'
import { EXIT, Failure, serves, whatIsMissing } from './failure.js'
import { isFree } from './free-ports.js'
import { namesOf, type Here } from './machine.js'
import { clearProgress, note, progress } from './output.js'
import { daemonProgram, run } from './programs.js'
import { Supervisor } from './supervisor.js'
import { say } from './texts.js'

const POLL_MS = 100
/** Longer than POLL_MS, because each question to pm2 starts a process. */
const SUPERVISOR_POLL_MS = 2_000
/** After this many restarts a replica counts as failed. */
const RESTARTS_TOO_MANY = 3
/** Other machines get so long to link with the replicas of this one, once these run. */
const OTHERS_MS = 5_000

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

/** Writes client.json anew, if the cluster file was edited since. */
async function syncClientFile(dir: string): Promise<void> {
  const ended = await run(daemonProgram('init'), ['--dir', dir, '--client'])
  if (ended.code !== 0) throw new Failure(EXIT.failed, ended.stderr.trim())
}

/** Removes what a failed demo left, if the folder holds nothing else. */
function clearDemo(dir: string): void {
  const demo = join(dir, 'demo')
  if (!existsSync(demo) || readdirSync(dir).length > 1 || new Supervisor(demo).running) return
  rmSync(demo, { recursive: true })
}

async function checkPorts(replicas: readonly ReplicaPorts[]): Promise<void> {
  for (const { name, listen, port, debugHost, debugPort } of replicas) {
    const addresses = [
      { host: listen, port },
      { host: debugHost, port: debugPort },
    ]
    for (const address of addresses) {
      if (await isFree(address.host, address.port)) continue
      throw new Failure(EXIT.failed, say('portTaken', { port: address.port, name }))
    }
  }
}

export interface Started {
  /** null: no processing replica can be asked from here. */
  readonly status: ClusterStatus | null
  readonly serves: boolean
}

/**
 * Starts the replicas of this machine. Resolves when the cluster serves and all of them are
 * reachable, or when they run and it is other machines that are missing.
 */
export async function startCluster(context: Context, here: Here): Promise<Started> {
  const supervisor = new Supervisor(context.dir)
  await syncClientFile(context.dir)
  if (supervisor.running) {
    note(say('alreadyUp'))
  } else {
    await checkPorts(here.own)
    progress(say('starting', { names: namesOf(here.own) }))
    await supervisor.start(here.own.map(({ name }) => name))
  }
  return waitUntilServing(context, supervisor, here)
}

/** Asks for the status until the cluster serves; at the time-out, a Failure with the reason. */
async function waitUntilServing(
  context: Context,
  supervisor: Supervisor,
  here: Here,
): Promise<Started> {
  const client = new Client({ ...context.servers(), timeoutMs: POLL_MS * 10 })
  let asked = performance.now()
  let runSince: number | null = null
  try {
    for (;;) {
      const status = await client.status().catch(() => null)
      if (status && serves(status) && reaches(status, here.own)) return { status, serves: true }
      showProgress(status, here)
      if (performance.now() - asked > SUPERVISOR_POLL_MS) {
        await checkNoneDied(supervisor, here.own)
        asked = performance.now()
      }
      if (here.others.length > 0) {
        if (await allRun(here.own)) runSince ??= performance.now()
        else runSince = null
        const waited = runSince === null ? 0 : performance.now() - runSince
        if (waited > OTHERS_MS && !othersAreThere(status, here)) return { status, serves: false }
      }
      if (context.leftMs <= 1) {
        await checkNoneDied(supervisor, here.own)
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

const nameOf = ({ tier, slot }: ClusterStatus['replicas'][number]): string =>
  `${tier === 'processing' ? 'p' : 's'}${slot}`

function reachedNames(status: ClusterStatus | null): string[] {
  return (status?.replicas ?? []).filter(({ reachable }) => reachable).map(nameOf)
}

function reaches(status: ClusterStatus, replicas: readonly ReplicaPorts[]): boolean {
  const reached = reachedNames(status)
  return replicas.every(({ name }) => reached.includes(name))
}

/** Whether enough of the other machines may be reached for the cluster to serve. */
function othersAreThere(status: ClusterStatus | null, { own }: Here): boolean {
  // A processing replica of this machine runs, so it answers soon.
  if (!status) return own.some(({ name }) => name.startsWith('p'))
  const stores = new Set([...reachedNames(status), ...own.map(({ name }) => name)])
  return [...stores].filter((name) => name.startsWith('s')).length >= status.needed
}

async function allRun(replicas: readonly ReplicaPorts[]): Promise<boolean> {
  const answers = await Promise.all(
    replicas.map(({ debugHost, debugPort }) =>
      askDebugPort(debugPort, 'ruok', debugHost).catch(() => ''),
    ),
  )
  return answers.every((answer) => answer === 'imok')
}

function showProgress(status: ClusterStatus | null, { own, others }: Here): void {
  const names = reachedNames(status)
  const all = own.length + others.length
  progress(
    say('waiting', {
      ...{ up: names.length, all },
      names: names.length ? `: ${names.join(' ')}` : '',
    }),
  )
}

async function checkNoneDied(
  supervisor: Supervisor,
  replicas: readonly ReplicaPorts[],
): Promise<void> {
  const list = await supervisor.list()
  for (const { name } of replicas) {
    const found = list.find((one) => one.name === name)
    if (found && found.status !== 'errored' && found.restarts < RESTARTS_TOO_MANY) continue
    const facts = { name, reason: supervisor.lastWords(name), log: supervisor.logPath(name) }
    throw new Failure(EXIT.failed, say('replicaDied', facts))
  }
}
