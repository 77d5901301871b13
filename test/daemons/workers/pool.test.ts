import { BroadcastChannel } from 'node:worker_threads'
import t from 'tap'
import type { Test } from 'tap'
import { WorkerPool } from '../../../daemons/workers/pool.js'
import type { PoolOptions } from '../../../daemons/workers/pool.js'
import type { Job, JobResult } from '../../../protocol/machine/compute.js'

const create = (user: string): Job => ({
  kind: 'create-account',
  user,
  password: '',
  bits: 2048,
  keys: null,
})
const unlock = (user: string): Job => ({ kind: 'unlock', user, password: '', secrets: null })
const open = (name: string): Job => ({
  kind: 'open',
  privateKeys: [new Uint8Array(0)],
  envelopes: [Buffer.from(name)],
  places: [],
})

/** A pool of scripted workers, and the other end of their script. */
class Stage {
  readonly pool: WorkerPool
  readonly #channel = new BroadcastChannel('scripted-worker')
  readonly #started: string[] = []
  #wake = (): void => {}

  constructor(options: PoolOptions) {
    const script = new URL('./scripted-worker.js', import.meta.url)
    this.pool = new WorkerPool({ script, ...options })
    this.#channel.onmessage = (event: unknown) => {
      this.#started.push((event as { data: string }).data)
      this.#wake()
    }
  }

  /** The names of the next `count` jobs to start, sorted. */
  async started(count: number): Promise<string[]> {
    while (this.#started.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const names = this.#started.splice(0, count).map((text) => text.replace('started ', ''))
    return names.sort()
  }

  say(word: string): void {
    this.#channel.postMessage(word)
  }

  async close(): Promise<void> {
    await this.pool.close()
    this.#channel.close()
  }
}

function staged(t: Test, options: PoolOptions): Stage {
  const stage = new Stage(options)
  t.teardown(() => stage.close())
  return stage
}

const reasonOf = (result: JobResult): string => (result.kind === 'failed' ? result.reason : '')

t.test('key jobs never hold every thread, even in a pool of one', async (t) => {
  const stage = staged(t, { size: 1 })
  const { pool } = stage
  const results = [pool.run(create('a')), pool.run(create('b'))]
  t.same(await stage.started(1), ['a'])
  t.match(pool.metrics(), { running: 1, waiting: 1 })
  results.push(pool.run(unlock('c')))
  t.same(await stage.started(1), ['c'], 'unlocking goes on')
  results.push(pool.run(unlock('d')), pool.run(open('e')))
  stage.say('finish c')
  t.same(await stage.started(1), ['e'], 'opening goes before unlocking')
  stage.say('finish e')
  t.same(await stage.started(1), ['d'])
  stage.say('finish a')
  t.same(await stage.started(1), ['b'], 'the next key job has its turn')
  stage.say('finish d')
  stage.say('finish b')
  await Promise.all(results)
  t.same(pool.metrics(), { threads: 2, running: 0, waiting: 0 })
})

t.test('a larger pool keeps one thread free of key jobs', async (t) => {
  const stage = staged(t, { size: 3 })
  const results = ['a', 'b', 'c'].map((name) => stage.pool.run(create(name)))
  t.same(await stage.started(2), ['a', 'b'])
  results.push(stage.pool.run(open('d')))
  t.same(await stage.started(1), ['d'])
  for (const name of ['a', 'b', 'd']) stage.say(`finish ${name}`)
  t.same(await stage.started(1), ['c'])
  stage.say('finish c')
  await Promise.all(results)
})

t.test('waiting jobs are bounded for each kind', async (t) => {
  const stage = staged(t, { size: 2, maxWaiting: { 'create-account': 1, unlock: 1 } })
  const { pool } = stage
  const results = [pool.run(create('a')), pool.run(create('b'))]
  const refused = await pool.run(create('c'))
  t.equal(reasonOf(refused), '1 computations of this kind wait already; try again later')
  results.push(pool.run(unlock('d')), pool.run(unlock('e')))
  t.equal((await pool.run(unlock('f'))).kind, 'failed')
  results.push(pool.run(open('g')))
  t.same(await stage.started(2), ['a', 'd'])
  for (const name of ['a', 'd']) stage.say(`finish ${name}`)
  t.same(await stage.started(2), ['e', 'g'].sort(), 'short jobs first')
  for (const name of ['e', 'g']) stage.say(`finish ${name}`)
  t.same(await stage.started(1), ['b'])
  stage.say('finish b')
  for (const result of await Promise.all(results)) t.not(result.kind, 'failed')
})

t.test('a thread that dies fails its own job only, and another takes its place', async (t) => {
  const stage = staged(t, { size: 2 })
  const { pool } = stage
  const [a, b] = [pool.run(unlock('a')), pool.run(unlock('b'))]
  const [c, d] = [pool.run(unlock('c')), pool.run(unlock('d'))]
  t.same(await stage.started(2), ['a', 'b'])
  stage.say('die a')
  t.equal(reasonOf(await a), 'a worker thread died: it ended')
  t.same(await stage.started(1), ['c'])
  stage.say('throw b')
  t.equal(reasonOf(await b), 'a worker thread died: out of cheese')
  t.same(await stage.started(1), ['d'])
  for (const name of ['c', 'd']) stage.say(`finish ${name}`)
  t.same(
    (await Promise.all([c, d])).map(({ kind }) => kind),
    ['unlock', 'unlock'],
  )
})

t.test('a script that cannot start fails each job, and leaves no thread', async (t) => {
  const pool = new WorkerPool({ script: new URL('./no-such-worker.js', import.meta.url) })
  const results = await Promise.all(['a', 'b', 'c', 'd'].map((name) => pool.run(create(name))))
  for (const result of results) t.match(reasonOf(result), /a worker thread died: .*no-such-worker/)
  t.same(pool.metrics(), { threads: 0, running: 0, waiting: 0 })
  await pool.close()
})

t.test('progress reaches the caller', async (t) => {
  const stage = staged(t, { size: 2 })
  const told: string[] = []
  const result = stage.pool.run(create('a'), '', (text) => told.push(text))
  await stage.started(1)
  stage.say('finish a')
  await result
  t.same(told, ['holding a'])
})

t.test('closing fails running, waiting and later jobs', async (t) => {
  const stage = staged(t, { size: 2 })
  const results = ['a', 'b', 'c', 'd'].map((name) => stage.pool.run(create(name)))
  await stage.started(1)
  await stage.pool.close()
  results.push(stage.pool.run(open('e')))
  for (const result of await Promise.all(results)) {
    t.equal(reasonOf(result), 'the workers are being stopped')
  }
  t.equal(stage.pool.metrics().threads, 0)
})

t.test('the real worker computes, reports progress and survives a failing job', async (t) => {
  const pool = new WorkerPool({ size: 1 })
  t.teardown(() => pool.close())
  const told: string[] = []
  const job = {
    kind: 'create-account',
    user: 'bob',
    password: 'sesame',
    bits: 2048,
    keys: null,
  } as const
  const created = await pool.run(job, '', (text) => told.push(text))
  if (created.kind !== 'create-account') throw new Error(created.kind)
  const { secrets, privateKeys } = created
  t.match(told[0], /^searching primes/)
  const unlocking: Job = { kind: 'unlock', user: 'bob', password: 'sesame', secrets }
  t.same(await pool.run(unlocking), { kind: 'unlock', privateKeys })
  t.same(await pool.run(unlock('bob')), { kind: 'unlock', privateKeys: null })
  t.match(await pool.run({ ...job, bits: 512 }), { kind: 'failed', reason: /512 bits asked/ })
  t.match(await pool.run(open('x')), { kind: 'failed', reason: /not DER/ })
  const envelopes = [new Uint8Array(3)]
  const opening: Job = { kind: 'open', privateKeys, envelopes, places: [] }
  t.same(await pool.run(opening), { kind: 'open', texts: [null] })
})
