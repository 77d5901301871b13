// A client in another language, written from the documents alone, at a cluster of real daemons. It
// registers, sends and reads, and goes on when the coordinator is killed.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Cluster, PASSWORD } from './cluster.js'
import { readMailbox } from './load.js'
import { verifyReplicas } from './verify.js'

t.setTimeout(280_000)

const SENDS = 40
const PYTHON = '/usr/bin/python3'
const PROGRAM = fileURLToPath(new URL('../../../test/python/troca_client.py', import.meta.url))
const { status } = spawnSync(PYTHON, ['-c', 'import msgpack, ssl'], { stdio: 'ignore' })
const skip =
  status === 0 ? false : `no ${PYTHON} with msgpack here: apt-get install python3-msgpack`

interface Answer {
  readonly index?: number
  readonly seq?: number
  readonly error?: string
  readonly messages?: readonly { index: number; from: string; seq: number; text: string }[]
}

/** The Python program, driven by one command and its answer at a time. */
class Python {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(cluster: Cluster, name: string) {
    const args = [PROGRAM, join(cluster.directory, 'client.json'), name, PASSWORD]
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
