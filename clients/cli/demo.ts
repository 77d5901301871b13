// npm run demo -- --help: Bob sends Alice every line of a text while the coordinator, and then the
// persistence replica that holds the turn, are killed. The exit code is 0 only if Alice read
// exactly what Bob sent, both replicas recovered and all logs agree. The demo leaves no process
// running.

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import yargs from 'yargs'
import { connect } from '../client.js'
import type { Client } from '../client.js'
import { initCluster, startCluster } from './cluster.js'
import { replicasOf, type ReplicaPorts } from './cluster-file.js'
import { Context } from './context.js'
import { findHolder, kill, longestGap, pause, recovered } from './demo-faults.js'
import type { Kill } from './demo-faults.js'
import { demoLines, firstDifference } from './demo-text.js'
import { EXIT, explain, Failure, report } from './failure.js'
import { freeBasePort } from './free-ports.js'
import { clearProgress, note, progress, result, table } from './output.js'
import { PACKAGE_DIR, daemonProgram, run } from './programs.js'
import { Supervisor } from './supervisor.js'

/** Only demos write here, so each demo empties the folder first. */
const OWN_DIR = join(PACKAGE_DIR, '.troca', 'demo')
const START_S = 60
const SEND_MS = 60_000
const READ_MS = 60_000
const IN_FLIGHT = 64
/** Password of both users; given by the environment, so that a kept cluster can be used. */
const PASSWORD = process.env['TROCA_PASSWORD'] ?? randomBytes(16).toString('hex')
/** Slows sends down, so that messages are still under way when the turn's holder is found. */
const SEEKING_PAUSE_MS = 5
const SEEK_MS = 5_000

/** After an interrupt the demo kills no more replicas; it only stops them. */
let interrupted = false

interface Cast {
  readonly context: Context
  readonly supervisor: Supervisor
  readonly replicas: readonly ReplicaPorts[]
  readonly bob: Client
  readonly alice: Client
}

interface Course {
  readonly receiptsAtMs: number[]
  readonly kills: Kill[]
  readonly recoveries: Promise<void>[]
  sentMs: number
}

async function newUser(context: Context, name: string): Promise<Client> {
  const client = await connect({ ...context.servers(), timeoutMs: SEND_MS })
  const onProgress = (what: string): void => progress(`${name}: ${what}`)
  progress(`registering ${name}: making an RSA key`)
  const account = await client.register(name, PASSWORD, { onProgress })
  clearProgress()
  note(`${name} is registered: RSA ${account.bits} bits, ${account.fingerprint}`)
  return client
}

function strike(cast: Cast, course: Course, name: string, pid: number, what: string): void {
  if (interrupted) return
  const killed = kill(name, pid)
  clearProgress()
  note(`kill -9 ${name}, ${what}, after ${course.receiptsAtMs.length} receipts`)
  course.kills.push(killed)
  const replica = cast.replicas.find((other) => other.name === name)!
  const back = recovered(killed, replica, () => cast.alice.status({ timeoutMs: 1_000 }))
  // play() awaits the promise at the end; until then a rejection must not end the process.
  back.catch(() => {})
  course.recoveries.push(back)
}

async function strikeHolder(cast: Cast, course: Course, pids: Map<string, number>): Promise<void> {
  const stores = cast.replicas.filter(({ name }) => name.startsWith('s'))
  const holder = await findHolder(stores, SEEK_MS)
  const name = (holder ?? stores[0]!).name
  const what = holder ? 'which holds the turn' : 'because no replica was seen to hold the turn'
  strike(cast, course, name, pids.get(name)!, what)
}

async function sendAll(cast: Cast, lines: readonly string[], course: Course): Promise<void> {
  const { coordinator } = await cast.bob.status()
  const pids = new Map((await cast.supervisor.list()).map(({ name, pid }) => [name, pid]))
  let next = 0
  let seeking: Promise<void> | null = null
  let sought = false
  const worker = async (): Promise<void> => {
    while (next < lines.length) {
      await cast.bob.send('alice', lines[next++]!, { timeoutMs: SEND_MS })
      const count = course.receiptsAtMs.push(performance.now())
      progress(`${count} of ${lines.length} lines stored`)
      if (course.kills.length === 0 && count >= lines.length / 3) {
        const name = `p${coordinator}`
        strike(cast, course, name, pids.get(name)!, 'the coordinator')
      }
      if (!seeking && count >= (2 * lines.length) / 3) {
        seeking = strikeHolder(cast, course, pids).finally(() => (sought = true))
        seeking.catch(() => {})
      }
      if (seeking && !sought) await pause(SEEKING_PAUSE_MS * IN_FLIGHT)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  course.sentMs = performance.now() - startedAt
  if (seeking) await (seeking as Promise<void>)
}

/** Collects the pushed texts, in order, until there are `count`. */
async function listenFor(alice: Client, count: number): Promise<(string | null)[]> {
  const texts: (string | null)[] = []
  const signal = AbortSignal.timeout(READ_MS + SEND_MS)
  if (count === 0) return texts
  for await (const message of alice.messages({ signal })) {
    texts.push(message.text)
    message.ack()
    if (texts.length === count) break
  }
  return texts
}

async function readAll(alice: Client): Promise<(string | null)[]> {
  const texts: (string | null)[] = []
  for (let after = 0, more = true; more;) {
    const page = await alice.inbox({ after, limit: 500, timeoutMs: READ_MS })
    texts.push(...page.messages.map((message) => message.text))
    progress(`Alice has read ${texts.length} lines`)
    after = page.next
    more = page.more
  }
  return texts
}

async function audit(dir: string): Promise<void> {
  const { code, stdout, stderr } = await run(daemonProgram('audit'), ['--dir', dir])
  if (code !== 0) throw new Error(`the audit failed: ${(stderr || stdout).trim()}`)
  note(stdout.trim())
}

function figures(lines: number, course: Course): string {
  const { receiptsAtMs, kills, sentMs } = course
  const rows = kills.map((killed, i) => {
    const until = kills[i + 1]?.atMs ?? Infinity
    const gapMs = Math.round(longestGap(receiptsAtMs, killed.atMs, until))
    return [killed.name, `${gapMs} ms`, `${Math.round(killed.recoveredMs ?? NaN)} ms`]
  })
  const rate = Math.round(lines / (sentMs / 1000))
  const kill9 = table(['kill -9', 'longest gap in receipts', 'back and caught up after'], rows)
  return `${lines} lines in ${(sentMs / 1000).toFixed(2)} s, both kills included: ${rate} sends/s\n${kill9}`
}

async function play(cast: Cast, lines: readonly string[]): Promise<void> {
  const course: Course = { receiptsAtMs: [], kills: [], recoveries: [], sentMs: 0 }
  const listening = listenFor(cast.alice, lines.length)
  listening.catch(() => {})
  await sendAll(cast, lines, course)
  clearProgress()
  note(`Bob has a receipt for each of his ${lines.length} lines`)
  const pushed = firstDifference(lines, await listening)
  if (pushed) throw new Error(`what Alice was pushed differs: ${pushed}`)
  const read = firstDifference(lines, await readAll(cast.alice))
  if (read) throw new Error(`what Alice read differs: ${read}`)
  clearProgress()
  note('Alice has read every line, pushed and paged: in order, nothing lost, nothing twice')
  progress('waiting for the killed replicas')
  await Promise.all(course.recoveries)
  clearProgress()
  note(`${course.kills.map(({ name }) => name).join(' and ')} are back and caught up`)
  await audit(cast.context.dir)
  result(figures(lines.length, course))
}

async function demo(dir: string, supervisor: Supervisor, file: string | undefined): Promise<void> {
  const lines = demoLines(file)
  if (dir === OWN_DIR) {
    // An interrupted run may have left replicas and files.
    await supervisor.stop()
    rmSync(dir, { recursive: true, force: true })
  } else if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new Failure(EXIT.usage, `${dir} is not empty; the demo needs an empty folder of its own`)
  }
  const context = new Context({ dir, timeout: START_S })
  progress('making a cluster')
  await initCluster(dir, ['--base-port', String(await freeBasePort())])
  const startedAt = performance.now()
  const replicas = replicasOf(dir)
  await startCluster(context, { machine: '', own: replicas, others: [] })
  note(`${replicas.length} replicas serve after ${Math.round(performance.now() - startedAt)} ms`)
  const [alice, bob] = [await newUser(context, 'alice'), await newUser(context, 'bob')]
  try {
    await play({ context, supervisor, replicas: replicasOf(dir), bob, alice }, lines)
  } finally {
    bob.abandon('the demo is over')
    alice.abandon('the demo is over')
  }
}

interface Arguments {
  readonly file: string | undefined
  readonly dir: string
  readonly keep: boolean
}

function readArguments(): Arguments {
  const { file, dir, keep } = yargs(process.argv.slice(2))
    .scriptName('npm run demo --')
    .usage('$0 [file]', 'Bob sends Alice the lines of a text while replicas are killed', (args) =>
      args.positional('file', { type: 'string', describe: 'the text [README and docs]' }),
    )
    .option('dir', {
      type: 'string',
      default: OWN_DIR,
      defaultDescription: '.troca/demo',
      describe: 'folder of the cluster: a new or an empty one',
    })
    .option('keep', {
      type: 'boolean',
      default: false,
      describe: 'keep the stopped cluster; its passwords are TROCA_PASSWORD',
    })
    .strict()
    .version(false)
    .parseSync() as unknown as Arguments
  return { file, dir: resolve(dir), keep }
}

async function main(): Promise<void> {
  const { file, dir, keep } = readArguments()
  const supervisor = new Supervisor(dir)
  const cleanUp = async (): Promise<void> => {
    progress('stopping everything')
    // A start that was under way at the interrupt may finish after the first stop.
    while (await supervisor.stop()) await pause(200)
    clearProgress()
  }
  const interrupt = (): void => {
    interrupted = true
    note('interrupted: stopping everything')
    void cleanUp().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    await demo(dir, supervisor, file)
  } catch (error) {
    clearProgress()
    process.exitCode = report(await explain(error, null, 'no', 0), false)
    for (const { name } of await supervisor.list().catch(() => [])) {
      note(`${name}: ${supervisor.lastWords(name)}`)
    }
  } finally {
    await cleanUp()
  }
  if (!process.exitCode && !keep) rmSync(dir, { recursive: true, force: true })
  note(process.exitCode ? 'The demo failed.' : 'Everything is stopped.')
}

await main()
