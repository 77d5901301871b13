// The demo as a user runs it: it succeeds, leaves no process, and none of its secrets (texts,
// password, private keys) is in a file that it leaves, in its output, or in /proc while it runs.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../../clients/cli/programs.js'
import { fileAt, filesBelow, needlesOfKey, needlesOfNumber, needlesOfText } from './canary.js'
import { processesOf, search } from './canary.js'
import type { Needle, Place } from './canary.js'
import { Cluster } from './cluster.js'

t.setTimeout(180_000)

const DEMO = fileURLToPath(new URL('../../clients/cli/demo.js', import.meta.url))
const secret = (what: string): string => `${what} ${randomBytes(12).toString('base64url')}`

const PASSWORD = secret('demo password')
const LINES = Array.from({ length: 400 }, (_, i) => secret(`demo line ${i}`))

interface Shown {
  readonly code: number | null
  readonly said: string
  readonly processes: readonly Place[]
}

/** Runs the demo, and reads its /proc entries when both kills are over. */
async function runDemo(args: readonly string[]): Promise<Shown> {
  const [, dir] = args
  const env = { PATH: process.env['PATH'], TROCA_PASSWORD: PASSWORD, TROCA_LOG_LEVEL: 'debug' }
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [DEMO, ...args], { env, stdio: [...stdio] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let said = ''
  const processes: Place[] = []
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  for await (const line of createInterface({ input: child.stderr })) {
    said += `${line}\n`
    if (line.includes('has a receipt')) {
      const others = processesOf(dir!).filter(({ name }) => !name.startsWith(`/proc/${child.pid}/`))
      processes.push(...others)
    }
  }
  return { code: await ended, said, processes }
}

t.test('a full demo leaves no secret behind', async (t) => {
  const directory = join(t.testdir(), 'demo')
  const file = join(t.testdirName, 'text')
  writeFileSync(file, `${LINES.join('\n')}\n`)
  const { code, said, processes } = await runDemo(['--dir', directory, '--keep', file])
  t.equal(code, 0, said)
  t.match(said, /Alice has read every line/)
  t.match(said, /all files agree/)
  t.equal(processesOf(directory).length, 0, 'no process is left')

  const left = filesBelow(directory).map(fileAt)
  const cluster = await Cluster.at(t, directory)
  const keys = await Promise.all(
    ['alice', 'bob'].map(async (name) => {
      const client = await cluster.logIn(name, undefined, PASSWORD)
      return { name, key: (await client.exportKeys(PASSWORD))[0]! }
    }),
  )
  const needles: Needle[] = [
    ...needlesOfText('the password', PASSWORD),
    ...LINES.flatMap((line) => needlesOfText(`"${line}"`, line)),
    ...keys.flatMap(({ name, key }) => needlesOfKey(`the key of ${name}`, key)),
  ]
  const places = [...left, ...processes, { name: 'what it says', octets: Buffer.from(said) }]
  t.same(search(places, needles), [])

  const publicKey = needlesOfNumber('the public key of alice', keys[0]!.key.n)
  const files = left.filter(({ name }) => name.endsWith('.db') || name.endsWith('-wal'))
  t.ok(
    search(files, publicKey).length >= 3,
    'the same search finds what is no secret, in each file',
  )
  const logs = left.filter(({ name }) => name.endsWith('.log'))
  t.ok(search(logs, needlesOfText('an event', '"event":"started"')).length >= 6, 'and in each log')
  if (existsSync('/proc/self')) {
    t.ok(search(processes, needlesOfText('the folder', directory)).length >= 6, 'and processes')
  }
})

t.test('the demo refuses a folder that is not empty', async (t) => {
  const directory = t.testdir({ mine: 'kept' })
  mkdirSync(join(directory, 'more'))
  const { code, stderr } = await run(DEMO, ['--dir', directory])
  t.equal(code, 2)
  t.match(stderr, /is not empty/)
  t.same(readdirSync(directory).sort(), ['mine', 'more'])
})
