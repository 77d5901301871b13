// The program troca against a scripted server: exit codes, JSON, sources of the password.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ALL, cluster, receipts, troca } from './cli-cluster.js'
import type { Running } from './cli-cluster.js'
import { sessionOf } from './fake-server.js'

// Generous, because each command is a process of its own.
t.setTimeout(300_000)

t.test('wrong usage ends with 2, and a password is never an argument', async (t) => {
  const dir = t.testdir()
  const wrong = [['nosuch'], ['send'], ['login', 'bob', '--password', 'hunter2']]
  for (const args of wrong) {
    const { code, stdout, stderr } = await troca(dir, args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.notMatch(stderr, 'hunter2')
  }
})

t.test('without a command, or of a group, the answer is help', async (t) => {
  const dir = t.testdir()
  for (const args of [[], ['-h'], ['keys'], ['rsa'], ['account', '-h']]) {
    const { code, stdout, stderr } = await troca(dir, args)
    t.match({ code, stderr }, { code: 0, stderr: '' }, args.join(' '))
    t.match(stdout, /^troca[^]*Commands:|Options:/)
  }
  t.match(await troca(dir, ['-v']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('a command without a cluster says what to do', async (t) => {
  const { code, stderr } = await troca(t.testdir(), ['status'])
  t.equal(code, 1)
  t.match(stderr, /troca up/)
})

t.test('register keeps the password for its owner alone; send uses it', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const registered = await troca(dir, ['register', 'bob', '--json'], 'hunter2\n')
  t.equal(registered.code, 0, registered.stderr)
  t.match(JSON.parse(registered.stdout), { name: 'bob', bits: 2048 })
  t.equal(statSync(join(dir, 'credentials', 'bob')).mode & 0o777, 0o600)
  t.match(JSON.parse((await troca(dir, ['whoami', '--json'])).stdout), { name: 'bob' })

  const sent = await troca(dir, ['send', 'alice', 'olá', '--json'])
  const receipt = { index: 101, seq: 1, time: 1_790_000_000_000, endToEnd: false }
  t.strictSame(JSON.parse(sent.stdout), receipt)
  t.match(server.sends(), [{ to: 'alice', text: 'olá' }])
  t.match(server.heard.findLast((message) => message.type === 'LOGIN')?.password, 'hunter2')

  t.equal((await troca(dir, ['logout'])).code, 0)
  t.equal((await troca(dir, ['send', 'alice', 'x'])).code, 4, 'nobody is logged in')
})

t.test('passwd keeps the new password in the place of the old one', async (t) => {
  const { dir, server } = await cluster(t, ALL, (message, peer) => {
    if (message.type !== 'CHANGE_PASSWORD') return
    const { request, password } = message
    if (password !== 'hunter2') return peer.refuse(request, 'BAD_CREDENTIALS')
    peer.say(sessionOf(request, 'bob'))
  })
  t.equal((await troca(dir, ['register', 'bob'], 'hunter2\n')).code, 0)
  const changed = await troca(dir, ['passwd', '--json'], 'hunter3\n')
  t.equal(changed.code, 0, changed.stderr)
  t.match(JSON.parse(changed.stdout), { name: 'bob', fingerprint: 'f' })
  t.match(
    server.heard.find((message) => message.type === 'CHANGE_PASSWORD'),
    { password: 'hunter2', newPassword: 'hunter3' },
  )
  t.equal(readFileSync(join(dir, 'credentials', 'bob'), 'utf8'), 'hunter3\n')
  const refused = await troca(dir, ['passwd'], 'hunter4\n')
  t.equal(refused.code, 4, 'the password of before')
  t.equal(readFileSync(join(dir, 'credentials', 'bob'), 'utf8'), 'hunter3\n')
  t.equal((await troca(dir, ['passwd'], '')).code, 2, 'no new password')
})

t.test('a weak new password gives advice, and is not refused', async (t) => {
  const { dir } = await cluster(t, ALL, (message, peer) => {
    if (message.type !== 'CHANGE_PASSWORD') return
    peer.say(sessionOf(message.request, 'bob'))
  })
  const advice = /^weak: about [\d,]+ guesses find it; four random words/m
  const weak = await troca(dir, ['register', 'bob', '--json'], 'bob-bob-bob\n')
  t.match(weak, { code: 0, stderr: advice })
  t.match(JSON.parse(weak.stdout), { name: 'bob' })
  const strong = await troca(dir, ['register', 'bob'], 'correct horse battery\n')
  t.equal(strong.code, 0)
  t.notMatch(strong.stderr, advice)
  t.match(await troca(dir, ['passwd'], 'qwertyuiop\n'), { code: 0, stderr: advice })
  const env = { TROCA_PASSWORD: 'qwertyuiop' }
  t.match(await troca(dir, ['register', 'bob'], '', env), { code: 0, stderr: advice })
  const login = await troca(dir, ['login', 'bob'], '', env)
  t.equal(login.code, 0)
  t.notMatch(login.stderr, advice, 'a log-in chooses no password')
})

t.test('keys list, fingerprint and rotate show and renew the keys', async (t) => {
  const { dir } = await cluster(t, ALL, (message, peer) => {
    if (message.type !== 'ROTATE_KEY') return
    const { request } = message
    peer.say({ ...sessionOf(request, 'bob'), fingerprint: 'fresh' })
  })
  const env = { TROCA_USER: 'bob', TROCA_PASSWORD: 'pw' }
  const keys = (...args: string[]): Running => troca(dir, ['keys', ...args], '', env)
  t.match((await keys('list')).stdout, /new of bob.*in use[^]*old of bob.*reads/)
  t.strictSame(JSON.parse((await keys('list', '--json')).stdout), {
    name: 'bob',
    keys: ['new of bob', 'old of bob'].map((fingerprint) => {
      return { held: 'service', fingerprint, bits: 2048 }
    }),
  })
  t.equal((await keys('fingerprint', 'alice')).stdout, 'new of alice\n')
  t.match((await keys('rotate')).stdout, 'fresh')
  t.match(JSON.parse((await keys('rotate', '--json')).stdout), { fingerprint: 'fresh' })
  t.match((await troca(dir, ['whoami'], '', env)).stdout, 'fresh')
  t.match((await keys()).stdout, 'troca keys list')
})

t.test('send --lines sends each line and reports each receipt', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  const env = { TROCA_USER: 'bob', TROCA_PASSWORD: 'pw' }
  const lines = ['one', 'two', 'three']
  const sent = await troca(dir, ['send', 'alice', '--lines', '--json'], lines.join('\n'), env)
  t.equal(sent.code, 0, sent.stderr)
  t.strictSame(
    server.sends().map((send) => send.text),
    lines,
  )
  t.equal(sent.stdout.trim().split('\n').length, 3)
})

t.test('a refused send ends with 1, a wrong password with 4', async (t) => {
  const { dir, server } = await cluster(t, ALL, (message, peer) => {
    if (message.type === 'SEND') peer.refuse(message.request, 'NO_SUCH_USER')
    if (message.type === 'LOGIN') peer.refuse(message.request, 'BAD_CREDENTIALS')
  })
  const env = { TROCA_USER: 'bob', TROCA_PASSWORD: 'pw' }
  const refused = await troca(dir, ['send', 'nobody', 'x', '--json'], '', env)
  t.equal(refused.code, 1)
  t.match(JSON.parse(refused.stdout), { ok: false, error: 'NO_SUCH_USER', definite: true })
  server.scripted.add('LOGIN')
  t.equal((await troca(dir, ['inbox'], '', env)).code, 4)
})

t.test(
  'a send without a quorum ends with 3, names missing replicas, and says if it is stored',
  async (t) => {
    const refusing = await cluster(t, [true, false, false], (message, peer) => {
      // Every try is answered before the time-out, so the send is certainly not stored.
      if (message.type === 'SEND') peer.refuse(message.request, 'NO_QUORUM', 2_000)
    })
    const env = { TROCA_USER: 'bob', TROCA_PASSWORD: 'pw', NO_COLOR: '1' }
    const args = ['send', 'alice', 'x', '--timeout', '3']
    const { code, stderr } = await troca(refusing.dir, args, '', env)
    t.equal(code, 3)
    t.match(
      stderr,
      '1 of 3 persistence replicas reachable (s1); 2 needed; missing: s2, s3. ' +
        'Nothing was stored. Try: troca status',
    )
  },
)

t.test(
  'a send without an answer ends with 5, or 3 if the cluster is not ready; it may be stored',
  async (t) => {
    const env = { TROCA_USER: 'bob', TROCA_PASSWORD: 'pw' }
    const args = ['send', 'alice', 'x', '--timeout', '3']
    const healthy = await cluster(t, ALL, () => {})
    const late = await troca(healthy.dir, args, '', env)
    t.equal(late.code, 5)
    t.match(late.stderr, 'It may be stored.')
    const lame = await cluster(t, [true, false, false], () => {})
    const sent = await troca(lame.dir, args, '', env)
    t.equal(sent.code, 3)
    t.match(sent.stderr, '2 needed; missing: s2, s3. It may be stored.')
  },
)

t.test('a command that reaches no server ends with 3', async (t) => {
  const { dir, server } = await cluster(t, ALL, receipts)
  server.kill()
  const { code, stderr } = await troca(dir, ['status', '--timeout', '3'])
  t.equal(code, 3)
  t.match(stderr, 'p1 refused the connection')
})

t.test('status prints a table, or one object with --json', async (t) => {
  const ready = await cluster(t, ALL, receipts)
  const table = await troca(ready.dir, ['status'])
  t.equal(table.code, 0)
  t.match(table.stdout, /s3.*persistence.*epoch 1\.1/)
  // eslint-disable-next-line no-control-regex
  t.notMatch(table.stdout, /\u001b\[/, 'no colour without a terminal')
  const json = await troca(ready.dir, ['status', '--json'])
  t.match(JSON.parse(json.stdout), { ready: true, needed: 2, coordinator: 1 })
})

t.test('status of a cluster that is not ready ends with 3', async (t) => {
  const { dir } = await cluster(t, [false, true, false], receipts)
  const { code, stderr } = await troca(dir, ['status'])
  t.equal(code, 3)
  t.match(stderr, 'missing: s1, s3')
  const json = await troca(dir, ['status', '--json'])
  t.equal(json.code, 3)
  t.match(JSON.parse(json.stdout), { ready: false })
})

t.test('texts are Portuguese if the environment says so', async (t) => {
  const { dir } = await cluster(t, [false, true, false], receipts)
  const { stderr } = await troca(dir, ['status'], '', { LANG: 'pt_PT.UTF-8' })
  t.match(stderr, 'faltam: s1, s3')
})

const message = (index: number) => {
  const stream = new Uint8Array(16)
  const time = 1_790_000_000_000
  const text = `m${index}\u001b[2J`
  return { index, from: 'bob', to: 'alice', time, stream, seq: index, text, envelope: null }
}

t.test('inbox shows a new message once; --peek leaves it new', async (t) => {
  const { dir, server } = await cluster(t, ALL, (asked, peer) => {
    if (asked.type !== 'INBOX') return
    const messages = [3, 4, 5].filter((index) => index > asked.after).map(message)
    peer.say({ type: 'PAGE', request: asked.request, messages, next: 5, more: false, cursor: 0 })
  })
  const login = await troca(dir, ['login', 'alice', '--no-save'], 'pw\n')
  t.equal(login.code, 0, login.stderr)
  const env = { TROCA_PASSWORD: 'pw' }
  const peeked = await troca(dir, ['inbox', '--peek', '--limit', '2', '--json'], '', env)
  t.strictSame(
    peeked.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { index: number }).index),
    [3, 4],
  )
  const shown = await troca(dir, ['inbox'], '', env)
  t.match(shown.stdout, 'm5\\u001b[2J', 'what a terminal would obey is shown, not sent')
  t.equal(server.heard.findLast((heard) => heard.type === 'CURSOR')?.index, 5)
  t.match(await troca(dir, ['inbox'], '', env), {
    code: 0,
    stdout: '',
    stderr: 'no new messages\n',
  })
  t.match((await troca(dir, ['inbox', '--all'], '', env)).stdout, 'm3')
})

t.test('listen prints as messages arrive, acknowledges, and ends with 0 on Ctrl-C', async (t) => {
  const { dir, server } = await cluster(t, ALL, (asked, peer) => {
    if (asked.type === 'LISTEN') {
      peer.say({ type: 'LISTENING', request: asked.request, after: 0 })
      peer.say({ type: 'PUSH', messages: [message(7)] })
    }
    if (asked.type === 'CURSOR') running.interrupt()
  })
  const running = troca(dir, ['listen', '--json'], '', {
    TROCA_USER: 'alice',
    TROCA_PASSWORD: 'pw',
  })
  const { code, stdout, stderr } = await running
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { index: 7, from: 'bob' })
  t.ok(server.heard.some((heard) => heard.type === 'CURSOR' && heard.index === 7))
})
