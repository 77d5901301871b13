// troca send, listen and inbox against a scripted server: what is told is so, and what is
// acknowledged has reached its reader.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { The } from '../../../protocol/messages/catalogue.js'
import { ALL, MAIN, cluster, receipts, troca } from '../cli-cluster.js'
import { sessionOf, type FakeServer, type Script } from '../fake-server.js'

t.setTimeout(300_000)

const env = { TROCA_USER: 'bob', TROCA_PASSWORD: 'pw' }
const TOO_LONG = 'x'.repeat(70_000)

const textsOf = (server: FakeServer): string[] => server.sends().map(({ text }) => text)
const objects = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

t.test('send --lines stops at the first refused line, and says where to go on', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const input = ['a', 'b', TOO_LONG, 'c'].join('\n')
  const stopped = await troca(dir, ['send', 'alice', '--lines'], input, env)
  t.equal(stopped.code, 1)
  t.match(stopped.stderr, /line 3 refused: too long/)
  t.match(stopped.stderr, /2 lines stored, the last at 102; .*--start-line 4/)
  t.strictSame(textsOf(server), ['a', 'b'])
  const rest = await troca(dir, ['send', 'alice', '--lines', '--start-line', '4'], input, env)
  t.equal(rest.code, 0, rest.stderr)
  t.strictSame(textsOf(server), ['a', 'b', 'c'])
})

t.test('send --lines --keep-going passes over refused lines and counts them', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const input = ['a', '', TOO_LONG, 'c'].join('\n')
  const args = ['send', 'alice', '--lines', '--keep-going', '--json']
  const { code, stdout } = await troca(dir, args, input, env)
  t.equal(code, 1)
  t.strictSame(textsOf(server), ['a', 'c'])
  const told = objects(stdout)
  const ofLine = (line: number) => told.find((one) => one['line'] === line)
  t.match(ofLine(1), { ok: true, index: 101 })
  t.match(ofLine(2), { ok: false, definite: true, text: /empty/ })
  t.match(ofLine(3), { ok: false, definite: true, text: /too long/ })
  t.match(ofLine(4), { ok: true, index: 102 })
  t.match(told.at(-1), { ok: false, stored: 2, last: 102, unsentFrom: null })
})

t.test('send --lines tells a failure at once, while stdin stays open', async (t) => {
  const { dir } = await cluster(t, ALL, (message, peer) => {
    if (message.type === 'SEND') peer.refuse(message.request, 'NO_SUCH_USER')
  })
  const child = spawn(process.execPath, [MAIN, 'send', 'nobody', '--lines'], {
    env: { PATH: process.env['PATH'], LANG: 'C', TROCA_DIR: dir, ...env },
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  child.stdin.write('hello\n')
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 1)
  t.match(stderr, /line 1 refused: no such user/)
})

t.test('send --lines interrupted says what is known of each line', async (t) => {
  const { dir, server } = await cluster(t, ALL, (message, peer) => {
    if (message.type !== 'SEND') return
    if (message.seq === 1) peer.receipt(message)
    else child.kill('SIGINT')
  })
  const child = spawn(process.execPath, [MAIN, 'send', 'alice', '--lines', '--timeout', '1'], {
    env: { PATH: process.env['PATH'], LANG: 'C', TROCA_DIR: dir, ...env },
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  child.stdin.write('one\ntwo\n')
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 1, stderr)
  t.match(stderr, /line 2 may be stored/)
  t.match(stderr, /interrupted; 1 lines stored, the last at 101/)
  t.strictSame(textsOf(server).slice(0, 2), ['one', 'two'])
})

/** Runs troca, and closes its stdout after the first line. */
async function headOne(dir: string, args: string[], input: string, user = env) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], LANG: 'C', TROCA_DIR: dir, ...user },
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  child.stdin.on('error', () => {})
  child.stdin.write(input)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, stderr }
}

t.test('a closed stdout ends send --lines, and not with 0', async (t) => {
  const { dir } = await cluster(t, ALL, receipts)
  const input = 'line\n'.repeat(3_000)
  const { code, stderr } = await headOne(dir, ['send', 'alice', '--lines', '--json'], input)
  t.equal(code, 1)
  t.match(stderr, /reader of the output has gone.*lines stored/)
})

t.test(
  'a text that is no UTF-8, empty or too long is refused before anything is sent',
  async (t) => {
    const { dir, server } = await cluster(t, ALL, receipts)
    const file = join(dir, 'bytes')
    writeFileSync(file, Buffer.from([0x6f, 0x6c, 0xe1]))
    const latin1 = readFileSync(file)
    for (const [input, why] of [
      [latin1, /not UTF-8/],
      ['', /empty/],
      ['\n', /empty/],
      [TOO_LONG, /too long/],
    ] as const) {
      const { code, stderr } = await troca(dir, ['send', 'alice'], input, env)
      t.equal(code, 1)
      t.match(stderr, why)
      t.match(stderr, 'Nothing was stored')
    }
    t.strictSame(textsOf(server), [])
    t.equal((await troca(dir, ['send', 'alice'], '\ufeffolá\r\n', env)).code, 0)
    t.strictSame(textsOf(server), ['olá'])
  },
)

const letter = (index: number, text = `m${index}`) => {
  const [stream, time] = [new Uint8Array(16), 1_790_000_000_000 + index * 1_000]
  return { index, from: 'bob', to: 'alice', time, stream, seq: index, text, envelope: null }
}

/** A mailbox that pushes what LISTEN asks for. */
const mailbox =
  (indices: readonly number[]): Script =>
  (asked, peer) => {
    if (asked.type !== 'LISTEN') return
    const after = asked.after ?? 0
    peer.say({ type: 'LISTENING', request: asked.request, after })
    const messages = indices.filter((index) => index > after).map((index) => letter(index))
    const window = messages.slice(0, asked.window)
    if (window.length > 0) peer.say({ type: 'PUSH', messages: window })
  }

const marks = (server: FakeServer): number[] =>
  server.heard.flatMap((message) => (message.type === 'CURSOR' ? [message.index] : []))

t.test('listen --count ends after so many; --wait ends when none comes', async (t) => {
  const { dir, server } = await cluster(t, ALL, mailbox([3, 4, 5]))
  const two = await troca(dir, ['listen', '--count', '2', '--json'], '', env)
  t.equal(two.code, 0, two.stderr)
  t.strictSame(
    objects(two.stdout).map(({ index }) => index),
    [3, 4],
  )
  t.equal(marks(server).at(-1), 4)
  const all = await troca(dir, ['listen', '--wait', '1', '--no-ack', '--json'], '', env)
  t.equal(all.code, 0, all.stderr)
  t.equal(objects(all.stdout).length, 3)
  t.equal(Math.max(...marks(server)), 4, 'without acknowledgement')
  const late = await troca(dir, ['listen', '--wait', '1', '--count', '9'], '', env)
  t.equal(late.code, 5)
  t.match(late.stderr, /no message came within 1 s/)
})

t.test('listen --no-ack goes on beyond the window of the service', async (t) => {
  const indices = Array.from({ length: 600 }, (_, i) => i + 1)
  const { dir, server } = await cluster(t, ALL, mailbox(indices))
  const args = ['listen', '--no-ack', '--count', '600', '--json']
  const { code, stdout, stderr } = await troca(dir, args, '', env)
  t.equal(code, 0, stderr)
  t.strictSame(
    objects(stdout).map(({ index }) => index),
    indices,
  )
  t.strictSame(marks(server), [])
})

t.test('listen --exec acknowledges only what its command took', async (t) => {
  const { dir, server } = await cluster(t, ALL, mailbox([3, 4, 5]))
  const taken = join(dir, 'taken')
  const command = `cat >> ${taken}; test $TROCA_INDEX -lt 4`
  const { code, stderr } = await troca(dir, ['listen', '--exec', command], '', env)
  t.equal(code, 1)
  t.match(stderr, /ended with 1 for message 4, which stays unread/)
  t.strictSame(
    objects(readFileSync(taken, 'utf8')).map(({ index, text }) => [index, text]),
    [
      [3, 'm3'],
      [4, 'm4'],
    ],
  )
  t.strictSame(marks(server), [3])
})

t.test('listen acknowledges nothing that a reader who is gone did not get', async (t) => {
  const { dir, server } = await cluster(t, ALL, (asked, peer) => {
    if (asked.type === 'LISTEN') peer.say({ type: 'LISTENING', request: asked.request, after: 0 })
    if (asked.type === 'LISTEN') peer.say({ type: 'PUSH', messages: [letter(1)] })
    if (asked.type === 'CURSOR' && asked.index === 1) {
      // The reader goes on hearing that; the next messages come after it has gone.
      const later = Array.from({ length: 400 }, (_, i) => letter(i + 2, 'y'.repeat(1_000)))
      setTimeout(() => peer.say({ type: 'PUSH', messages: later }), 300)
    }
  })
  const { code, stderr } = await headOne(dir, ['listen'], '')
  t.equal(code, 1)
  t.match(stderr, /reader of the output has gone/)
  t.ok(Math.max(...marks(server)) < 400, `the mark is at ${Math.max(...marks(server))}`)
})

t.test('a reader that sleeps holds the acknowledgements back', async (t) => {
  const { dir, server } = await cluster(t, ALL, (asked, peer) => {
    if (asked.type !== 'LISTEN') return
    peer.say({ type: 'LISTENING', request: asked.request, after: 0 })
    const many = Array.from({ length: 200 }, (_, i) => letter(i + 1, 'z'.repeat(4_000)))
    peer.say({ type: 'PUSH', messages: many })
  })
  const child = spawn(process.execPath, [MAIN, 'listen'], {
    env: { PATH: process.env['PATH'], LANG: 'C', TROCA_DIR: dir, ...env },
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdout.pause()
  // Pipes take 64 KiB or little more: the mark stays behind the messages once they are full.
  for (let before = -1; before < marks(server).length || before < 1;) {
    before = marks(server).length
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  t.ok(Math.max(...marks(server)) < 100, `the mark is at ${Math.max(...marks(server))}`)
  let got = ''
  child.stdout.on('data', (chunk) => (got += String(chunk)))
  child.stdout.resume()
  while (!got.includes(' 200 ')) await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 0)
  t.equal(Math.max(...marks(server)), 200)
})

/** A mailbox that is read by pages. */
const pages =
  (letters: readonly ReturnType<typeof letter>[]): Script =>
  (asked, peer) => {
    if (asked.type !== 'INBOX') return
    const after = letters.filter(({ index }) => index > asked.after)
    const messages = after.slice(0, 2)
    const next = messages.at(-1)?.index ?? asked.after
    const page = { messages, next, more: after.length > 2, cursor: 0 }
    peer.say({ type: 'PAGE', request: asked.request, ...page })
  }

t.test('inbox marks what it shows page by page, and nothing that it leaves out', async (t) => {
  const letters = [1, 2, 3, 4, 5].map((index) => letter(index))
  const { dir, server } = await cluster(t, ALL, pages(letters))
  const since = new Date(letters[2]!.time).toISOString()
  const some = await troca(dir, ['inbox', '--since', since, '--json'], '', env)
  t.strictSame(
    objects(some.stdout).map(({ index }) => index),
    [3, 4, 5],
  )
  t.strictSame(marks(server), [], 'messages 1 and 2 were not shown')
  const later = await troca(dir, ['inbox', '--since', '2'], '', env)
  t.match(later.stderr, 'nothing is marked as read')
  t.strictSame(marks(server), [])
  const all = await troca(dir, ['inbox'], '', env)
  t.equal(all.code, 0, all.stderr)
  t.equal(marks(server).at(-1), 5)
})

t.test('delete takes indices, ranges, dates and all, and counts what was there', async (t) => {
  const letters = [5, 7, 8, 9].map((index) => letter(index))
  const { dir, server } = await cluster(t, ALL, (asked, peer) => {
    if (asked.type === 'DELETE') peer.say({ type: 'DELETED', request: asked.request, index: 9 })
    else pages(letters)(asked, peer)
  })
  const asked = (): unknown[] =>
    server.heard.flatMap((message) => (message.type === 'DELETE' ? [message.indices] : []))
  for (const wrong of [['5', 'x'], [], ['9-5'], ['5', '--all'], ['--before', 'never'], ['--all']]) {
    t.equal((await troca(dir, ['delete', ...wrong], '', env)).code, 2, wrong.join(' '))
  }
  t.strictSame(asked(), [])
  t.equal((await troca(dir, ['delete', '5', '7-8'], '', env)).code, 0)
  const none = await troca(dir, ['delete', '9', '999999999'], '', env)
  t.equal(none.code, 1)
  t.match(none.stderr, 'not in the mailbox: 999999999')
  const before = new Date(letters[2]!.time).toISOString()
  const json = await troca(dir, ['delete', '--before', before, '--yes', '--json'], '', env)
  t.strictSame(JSON.parse(json.stdout), { deleted: [5, 7], missing: [] })
  t.equal((await troca(dir, ['delete', '--all', '--yes'], '', env)).code, 0)
  t.strictSame(asked(), [[5, 7, 8], [9], [5, 7], [5, 7, 8, 9]])
})

t.test('a text with line breaks cannot pass for another message', async (t) => {
  const forged = 'hi\n     9  2026-01-01 00:00:00+00:00  bob: pay me'
  const { dir } = await cluster(t, ALL, pages([letter(1, forged)]))
  const { stdout } = await troca(dir, ['inbox'], '', env)
  const shown = stdout.split('\n').filter((line) => /^ *\d+ {2}/.test(line))
  t.equal(shown.length, 1)
  t.match(stdout, /^ {8}│ {6}9 {2}2026/m)
})

t.test('--limit, --since, --count and --wait say what they need', async (t) => {
  const { dir } = await cluster(t, ALL, pages([]))
  for (const args of [
    ['inbox', '--limit', '-1'],
    ['inbox', '--since', 'yesterday'],
    ['listen', '--count', '0'],
    ['listen', '--wait', 'x'],
    ['send', 'alice', 'x', '--keep-going'],
    ['send', 'alice', 'two', 'words'],
    ['send', 'alice', '--lines', '--start-line', '0'],
  ]) {
    t.equal((await troca(dir, args, '', env)).code, 2, args.join(' '))
  }
})

t.test('the environment: empty is unset, a newline is no part of a password', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const odd = { ...env, TROCA_TIMEOUT: '', TROCA_JSON: '1', TROCA_PASSWORD: 'pw\n' }
  const { code, stdout } = await troca(dir, ['send', 'alice', 'x'], '', odd)
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { index: 101 })
  t.match(
    server.heard.find(({ type }) => type === 'LOGIN'),
    { password: 'pw' },
  )
  const wrong = await troca(dir, ['nosuch'], '', odd)
  t.match(JSON.parse(wrong.stdout), { ok: false, exitCode: 2 }, 'errors are JSON, too')
  const twice = await troca(dir, ['send', 'alice', 'x', '--as', 'bob', '--as', 'eve'], '', odd)
  t.match(JSON.parse(twice.stdout), { exitCode: 2, text: /--as is given 2 times/ })
})

t.test('only login and use change the user that commands act as', async (t) => {
  const { dir, server } = await cluster(t, ALL, (message, peer) => {
    if (message.type === 'SEND') peer.receipt(message)
    if (message.type !== 'ROTATE_KEY') return
    peer.say({ ...sessionOf(message.request, 'carol'), fingerprint: 'fresh' })
  })
  const secret = { TROCA_PASSWORD: 'correct horse battery' }
  const current = async (): Promise<unknown> =>
    (JSON.parse((await troca(dir, ['whoami', '--json'])).stdout) as { name: string }).name
  t.equal((await troca(dir, ['register', 'bob'], '', secret)).code, 0)
  t.equal(await current(), 'bob', 'the first one, as there is no other')
  const second = await troca(dir, ['register', 'carol'], '', secret)
  t.match(second.stderr, 'commands act as bob')
  t.equal((await troca(dir, ['keys', 'rotate', '--as', 'carol'])).code, 0)
  t.equal(await current(), 'bob')
  t.match((await troca(dir, ['send', 'alice', 'x'])).stdout, ', as bob')
  t.equal((await troca(dir, ['use', 'carol'])).code, 0)
  t.equal(await current(), 'carol')
  t.equal((await troca(dir, ['use', 'eve'])).code, 4, 'no password is kept')
  t.equal((await troca(dir, ['login', 'bob'], '', secret)).code, 0)
  t.equal(await current(), 'bob')
  const bits = await troca(dir, ['keys', 'rotate', '--bits', '4096'])
  t.equal(bits.code, 2)
  t.equal(server.heard.filter(({ type }) => type === 'ROTATE_KEY').length, 1)
})

t.test('what a person types takes its own time', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const child = spawn(process.execPath, [MAIN, 'send', 'alice', '--timeout', '1'], {
    env: { PATH: process.env['PATH'], LANG: 'C', TROCA_DIR: dir, ...env },
  })
  // Longer than the time-out of an answer.
  setTimeout(() => child.stdin.end('slow\n'), 2_500)
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 0)
  t.strictSame(textsOf(server), ['slow'])
})

t.test('a name or password that no service takes is refused here, at once', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const registrations = (): number =>
    server.heard.filter(({ type }) => type === 'REGISTER' || type === 'LOGIN').length
  const name = await troca(dir, ['register', 'a'.repeat(65)], 'correct horse battery\n')
  t.not(name.code, 0)
  t.match(name.stderr, /1 to 32 of a-z/)
  const password = await troca(dir, ['register', 'carol'], `${'p'.repeat(1_025)}\n`)
  t.equal(password.code, 1)
  t.match(password.stderr, /1025 bytes; 1024 are the most/)
  const login = await troca(dir, ['login', 'carol'], `${'p'.repeat(1_025)}\n`)
  t.not(login.code, 0)
  t.equal(registrations(), 0)
})

t.test('a request that the server cannot read ends at once, and is not repeated', async (t) => {
  const { dir, server } = await cluster(t, ALL, (message, peer) => {
    if (message.type !== 'USAGE' && message.type !== 'INBOX') return
    const error: The<'ERROR'> = {
      type: 'ERROR',
      request: 0,
      code: 301,
      text: 'INBOX.limit: too large',
      definite: true,
      retryAfter: null,
      expected: null,
    }
    peer.say(error)
    peer.drop()
  })
  const { code, stderr } = await troca(dir, ['inbox'], '', env)
  t.equal(code, 1)
  t.match(stderr, 'INBOX.limit: too large')
  t.equal(server.heard.filter(({ type }) => type === 'INBOX').length, 1)
})
