// Each program of examples/ as its README says to run it, against a live cluster. Output that is
// the same each time is compared.

import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { run } from '../../clients/cli/programs.js'
import type { Ended } from '../../clients/cli/programs.js'
import { Cluster } from './cluster.js'

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url))

const cluster = await Cluster.start(t)
const { PATH } = process.env
const env = { PATH, TROCA_DIR: cluster.directory }
const lines = (text: string): string[] => text.trimEnd().split('\n')

/** As `node examples/NAME.mjs ARGS`; `more` is for the environment. */
function example(name: string, args: string[] = [], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run(join(EXAMPLES, `${name}.mjs`), args, { env: { ...env, ...more } })
}

const tried = new Set(['cluster'])
function test(name: string, body: (t: Test) => Promise<void>): void {
  tried.add(name)
  void t.test(name, body)
}

test('send-and-listen', async (t) => {
  const { code, stdout, stderr } = await example('send-and-listen')
  t.equal(code, 0, stderr)
  t.match(lines(stdout), [
    /^sent: place \d+ of the log, seq 1$/,
    /seq 2$/,
    /seq 3$/,
    'carla: olá',
    'carla: tudo bem?',
    'carla: até já',
  ])
  const again = await example('send-and-listen')
  t.equal(again.code, 0, again.stderr)
  t.equal(lines(again.stdout).length, 6, 'the accounts are there already')
})

test('exactly-once', async (t) => {
  const jobs = join(t.testdir(), 'jobs.txt')
  const texts = ['one', 'two', 'three', 'four', 'five']
  writeFileSync(jobs, `${texts.join('\n')}\n`)
  const first = await example('exactly-once', [jobs], { CRASH_AT: '3' })
  t.equal(first.code, 1, first.stderr)
  t.match(JSON.parse(readFileSync(`${jobs}.sent`, 'utf8')), { sent: 2 }, 'the third is in doubt')
  const second = await example('exactly-once', [jobs])
  t.equal(second.code, 0, second.stderr)
  t.match(lines(second.stdout), [
    /^job 3 was stored at \d+ before the crash$/,
    /^job 4 is stored at \d+$/,
    /^job 5 is stored at \d+$/,
  ])
  const third = await example('exactly-once', [jobs])
  t.equal(third.stdout, '', 'nothing is left to do')
  const printer = await cluster.logIn('printer', undefined, 'of the examples only')
  const { messages } = await printer.inbox()
  t.strictSame(
    messages.map(({ text }) => text),
    texts.map((text, i) => `${i + 1}: ${text}`),
  )
})

test('bot', async (t) => {
  const bot = spawn(process.execPath, [join(EXAMPLES, 'bot.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => bot.kill('SIGKILL'))
  let printed = ''
  const ended = new Promise((resolve) => bot.once('exit', resolve))
  await new Promise<void>((resolve) => {
    bot.stdout.on('data', (chunk) => {
      printed += String(chunk)
      if (printed.includes('listens')) resolve()
    })
  })
  const user = await cluster.register('user')
  for (const text of ['time', 'status', 'olá']) await user.send('robo', text)
  const answers: (string | null)[] = []
  for await (const message of user.messages()) {
    answers.push(message.text)
    message.ack()
    if (answers.length === 3) break
  }
  t.match(answers, [/^\d{4}-\d\d-\d\dT.*Z$/, /^\d of 6 replicas are up$/, 'OLÁ'])
  bot.kill('SIGINT')
  t.equal(await ended, 0)
  t.match(printed, /answered user: olá\nstopped\n$/)
})

test('end-to-end', async (t) => {
  const { code, stdout, stderr } = await example('end-to-end')
  t.equal(code, 0, stderr)
  const [read, seen, stored, text, header] = lines(stdout)
  const fingerprint = /^femi reads out: ([\w-]{43})$/.exec(read ?? '')?.[1]
  t.equal(seen, `eva sees the keys of femi (first): ${fingerprint}`)
  t.match(stored, /^stored at \d+; end to end: true$/)
  t.equal(text, 'eva: só para ti')
  t.match(header, /"alg":"RSA-OAEP-256"/)
})

test('receipts', async (t) => {
  const { code, stdout, stderr } = await example('receipts')
  t.equal(code, 0, stderr)
  t.match(stdout, /^accepted 0 {2}stored 0 {2}delivered 0 {2}read 6$/m)
  t.match(lines(stdout).slice(-3), [/to hana: read$/, /to hana: read$/, /to hana: read$/])
})

test('rsa', async (t) => {
  const { code, stdout, stderr } = await example('rsa')
  t.equal(code, 0, stderr)
  t.strictSame(lines(stdout).slice(2), [
    'decrypted: olá',
    'changed by a bit: decryption',
    'signed: true',
    'something else: false',
    '-----BEGIN ENCRYPTED PRIVATE KEY----- holds the same key: true',
  ])
})

void t.test('each example is run here and described in the README', async (t) => {
  const programs = readdirSync(EXAMPLES).filter((name) => name.endsWith('.mjs'))
  t.strictSame(programs.map((name) => name.replace('.mjs', '')).toSorted(), [...tried].toSorted())
  const readme = readFileSync(join(EXAMPLES, 'README.md'), 'utf8')
  for (const name of programs) t.ok(readme.includes(name), name)
})
