// A client in another language, written from the documents alone, at a cluster of real daemons. It
// registers, sends and reads, and goes on when the coordinator is killed; it exports and imports keys,
// seals and opens messages end to end, follows receipts, and deletes its account.

import { spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { encodePkcs8 } from '../../protocol/rsa/formats.js'
import { ERRORS } from '../../protocol/errors.js'
import { Cluster, PASSWORD } from './cluster.js'
import { readMailbox } from './load.js'
import { verifyReplicas } from './verify.js'

t.setTimeout(280_000)

const SENDS = 40
const PYTHON = '/usr/bin/python3'
const PROGRAM = fileURLToPath(new URL('../../../test/python/troca_client.py', import.meta.url))
const { status } = spawnSync(PYTHON, ['-c', 'import msgpack, cryptography'], {
  stdio: 'ignore',
})
const skip =
  status === 0
    ? false
    : `no ${PYTHON} with msgpack and cryptography here: ` +
      'apt-get install python3-msgpack python3-cryptography'

interface Answer {
  readonly index?: number
  readonly seq?: number
  readonly error?: string
  readonly fingerprint?: string
  /** PKCS#8 DER in base64. */
  readonly keys?: readonly string[]
  readonly messages?: readonly { index: number; from: string; seq: number; text: string }[]
}

/** The Python program, driven by one command and its answer at a time. */
class Python {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(cluster: Cluster, name: string) {
    const args = ['-B', PROGRAM, join(cluster.directory, 'client.json'), name, PASSWORD]
    this.#child = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  async do(command: string): Promise<Answer> {
    this.#child.stdin!.write(`${command}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the program ended at: ${command}`)
    return JSON.parse(value) as Answer
  }

  async all(commands: readonly string[]): Promise<Answer[]> {
    const answers: Answer[] = []
    for (const command of commands) answers.push(await this.do(command))
    return answers
  }

  async end(): Promise<number | null> {
    const ended = once(this.#child, 'exit') as Promise<[number | null]>
    this.#child.stdin!.end()
    return (await ended)[0]
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

t.test('a client in Python registers, sends and reads over a failover', { skip }, async (t) => {
  const cluster = await Cluster.start(t)
  const bob = await cluster.register('bob')
  const python = new Python(cluster, 'ana')
  t.teardown(() => python.kill())
  t.match(await python.do('register'), { name: 'ana' })
  const receipts = [
    await python.do('send bob olá, daqui fala a Ana'),
    await python.do('send ana 1'),
  ]
  t.match(receipts, [{ seq: 1 }, { seq: 2 }])
  const { index } = await bob.send('ana', 'bem-vinda')
  t.match(await python.do('send nobody-here x'), { error: /^102: no such user/ })

  const coordinator = await cluster.coordinator()
  // Most likely a send is under way when the coordinator dies.
  const texts = Array.from({ length: SENDS }, (_, i) => `text ${i}`)
  const sent = python.all(texts.map((text) => `send ana ${text}`))
  await coordinator.kill()
  const stored = await sent
  const firstSeq = 4
  t.same(
    stored.map(({ seq }) => seq),
    texts.map((_, i) => firstSeq + i),
    'the stream goes on where it was',
  )
  t.match(await python.do(`send bob ${'x'.repeat(60_000)}`), { seq: firstSeq + SENDS })
  coordinator.start()
  await cluster.untilCaughtUp(coordinator)

  const { messages } = await python.do('inbox')
  t.same(
    messages?.map((one) => [one.index, one.from, one.text]),
    [
      [receipts[1]!.index, 'ana', '1'],
      [index, 'bob', 'bem-vinda'],
      ...stored.map((one, i) => [one.index, 'ana', texts[i]]),
    ],
    'each once, in the order of the log',
  )
  const atBob = await readMailbox(bob)
  t.match(atBob, [{ from: 'ana', text: 'olá, daqui fala a Ana' }, { text: 'x'.repeat(60_000) }])
  t.equal(await python.end(), 0)

  const again = new Python(cluster, 'ana')
  t.match(await again.do('login'), { name: 'ana' })
  t.same((await again.do('inbox')).messages, messages)
  t.equal(await again.end(), 0)
  await verifyReplicas(t, cluster)
})

const LONG = `for the newest key: ${'x'.repeat(300)}`
const textsOf = ({ messages }: Answer): unknown[] | undefined => messages?.map(({ text }) => text)

t.test('keys, envelopes, receipts and the end of an account, in Python', { skip }, async (t) => {
  // Short texts are encrypted by RSA alone, longer ones are JWEs.
  const settings = { suite: 'rsa' }
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1, settings })
  const bob = await cluster.register('bob')
  const python = new Python(cluster, 'ana')
  t.teardown(() => python.kill())
  t.match(await python.do('register'), { name: 'ana' })
  await bob.send('ana', 'olá, \u{1f600}')

  // Keys out and in: those of the service, as the library exports them, and one made elsewhere.
  const typed = 'Zoe\u0308-e-o-cavalo'
  t.same(await python.do(`password_to ${typed}`), {})
  const ana = await cluster.logIn('ana', undefined, typed.normalize('NFC'))
  const own = await ana.exportKeys(typed)
  const base64 = (key: (typeof own)[number]): string => {
    return Buffer.from(encodePkcs8(key)).toString('base64')
  }
  t.same((await python.do('export')).keys, own.map(base64))
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const made = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
  const added = await python.do(`add ${made}`)
  t.equal(added.fingerprint, (await bob.keys('ana'))[0]?.fingerprint)
  t.match(await python.do(`add ${made}`), { error: /^120: .*has this key already/ })
  t.match(await python.do('rotate'), { fingerprint: /^[\w-]{43}$/ })
  await bob.send('ana', LONG)
  const read = await python.do('inbox')
  t.same(textsOf(read), ['olá, \u{1f600}', LONG])
  t.same(await python.do('open_stored'), read, 'the envelopes, opened by the exported keys')

  // Receipts both ways.
  const { index } = await python.do('send bob a question')
  t.match(await python.do('receipts'), { sends: [{ to: 'bob', index, state: 'stored' }] })
  const [question] = (await bob.inbox()).messages
  bob.ack(question!.index)
  t.same(await python.do(`until_read ${index}`), { to: 'bob' })
  t.match(await python.do('receipts'), { sends: [{ index, state: 'read' }] })
  t.same(textsOf(await python.do('listen 2')), textsOf(read))
  await cluster.until('bob is told that ana has read both', async () => {
    const sends = await bob.receipts.list({ to: 'ana' })
    return sends.length === 2 && sends.every(({ state }) => state === 'read') ? true : null
  })

  t.same(await python.do('edges'), {
    close: ERRORS.NO_SUCH_STREAM.code,
    send: ERRORS.NO_SUCH_STREAM.code,
    'seq 0': ERRORS.BAD_REQUEST.code,
    'open again': 'done',
    'close own': 'done',
    'send there': ERRORS.STREAM_CLOSED.code,
    'id 0': [0, ERRORS.BAD_FRAME.code],
    'window 0': [0, ERRORS.BAD_FRAME.code],
  })
  const ended = await python.do('delete_account')
  t.same(ended, { log_in: ERRORS.BAD_CREDENTIALS.code, repeated: true }, 'its connection stays')
  await t.rejects(bob.send('ana', 'gone?'), { name: 'NO_SUCH_USER' })
  t.equal(await python.end(), 0)
})

t.test('end to end both ways between Python and the library', { skip }, async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1 })
  const bob = await cluster.registerHeld('bob', 2048)
  const python = new Python(cluster, 'ana')
  t.teardown(() => python.kill())
  t.match(await python.do('register_held'), { name: 'ana' })
  const stored = await python.do('send bob olá, só para ti')
  t.match(await bob.send('ana', 'e para ti \u{1f600}'), { endToEnd: true })
  t.match((await bob.inbox()).messages, [{ index: stored.index, text: 'olá, só para ti' }])
  t.same(textsOf(await python.do('inbox')), ['e para ti \u{1f600}'])
  t.match(await bob.contact('ana'), { held: 'client' })

  // New pairs on both sides, which the pairs before vouch for; what was sent before still opens.
  t.match(await python.do('rotate'), { fingerprint: /^[\w-]{43}$/ })
  await bob.rotateKey(PASSWORD, { bits: 2048 })
  await python.do('send bob by the second pair')
  const late = await cluster.logInHeld('bob')
  await late.send('ana', 'for the second pair')
  const texts = (await late.inbox()).messages.map(({ text }) => text)
  t.same(texts, ['olá, só para ti', 'by the second pair'])
  t.same(textsOf(await python.do('listen 2')), ['e para ti \u{1f600}', 'for the second pair'])
  t.same(await python.do('refusals'), {
    'as it is': 'for the second pair',
    'another seq': 'no text: of another place',
    'another recipient': 'no text: of another place',
    'no signature': 'no text: not an envelope and a signature',
    'a signature of zeros': 'no text: a signature does not hold',
    'another ciphertext': 'no text: a signature does not hold',
    'once more': 'no text: shown before',
  })
  const refused = await python.do('add AAAA')
  t.match(refused, { error: /^119: / }, 'the service has no keys of it')
  t.equal(await python.end(), 0)
})
