// Every collection in the state of a replica has a bound that docs/MEMORY.md names. The replicas do a
// bit of everything first; then their objects are walked, private fields too.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { PERSISTENCE_METRICS, PROCESSING_METRICS } from '../../../protocol/machine/metrics.js'
import { PASSWORD, type Asked } from '../../scenarios/played.js'
import { Ring } from '../../scenarios/ring.js'
import { collectionsOf } from './collections.js'

const DOCUMENT = fileURLToPath(new URL('../../../../docs/MEMORY.md', import.meta.url))

interface Row {
  readonly at: string
  readonly bound: string
  readonly gauge: string
}

/** The rows of all tables: collection, bound, gauge. */
function rows(): Row[] {
  const lines = readFileSync(DOCUMENT, 'utf8').split('\n')
  const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()))
  return cells
    .filter(([, at]) => at?.startsWith('`'))
    .map(([, at, bound, gauge]) => {
      const bare = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '')
      return { at: bare(at), bound: bare(bound), gauge: bare(gauge) }
    })
}

const BOUNDED = rows()

/** A ring whose replicas have done a bit of everything, much of it under way. */
function busy(): Ring {
  const ring = new Ring([1, 2, 3], { invitations: 3 }).begin()
  const { client } = ring
  const tokenOf = (number: number): Uint8Array => new Uint8Array(16).fill(number)
  const asked: Asked[] = [
    { type: 'LISTEN', after: null, window: 4 },
    { type: 'FOLLOW_RECEIPTS', indices: [] },
    { type: 'INVITE', code: tokenOf(1) },
    { type: 'BLOCK', name: 'alice' },
    { type: 'UNBLOCK', name: 'alice' },
    { type: 'OPEN_STREAM', token: tokenOf(2) },
  ]
  for (const one of asked) client.ask(one)
  const { stream } = ring
  for (let seq = 1; seq <= 6; seq++) ring.ask(seq, `text ${seq}`)
  client.ask({ type: 'DELETE', indices: [ring.messages[0]!.index] })
  client.ask({ type: 'CLOSE_STREAM', stream })
  client.ask({ type: 'INBOX', after: 0, limit: 10, sealed: false, since: null })
  client.ask({ type: 'LOGIN', name: 'alice', password: `not ${PASSWORD}` })
  const opened = client.ask({ type: 'OPEN_STREAM', token: tokenOf(3) })
  if (opened.type !== 'STREAM_OPENED') throw new Error('no stream')
  // These stay under way: the disk commits nothing.
  ring.stickDisk(60_000)
  for (let seq = 1; seq <= 400; seq++) {
    client.send({ type: 'SEND', stream: opened.stream, seq, to: 'alice', text: 'olá' })
  }
  client.send({ type: 'LOGIN', name: 'alice', password: PASSWORD })
  client.send({ type: 'INBOX', after: 0, limit: 10, sealed: false, since: null })
  ring.stage.run(100)
  return ring
}

t.test('each collection of a replica has a bound', (t) => {
  const ring = busy()
  const machines = ['p1', 'p2', 'p3', 's1'].map((name) => ring.stage.host(name).machine!)
  const found = new Set(machines.flatMap((machine) => collectionsOf(machine)).map(({ at }) => at))
  t.ok(found.size > 40, `${found.size} collections`)
  t.ok(found.has('Streams.#open'), 'private ones too')
  const named = new Set(BOUNDED.map(({ at }) => at))
  t.same(
    [...found].filter((at) => !named.has(at)).sort(),
    [],
    'collections without a bound in docs/MEMORY.md',
  )
  t.end()
})

t.test('each bound says something, and each gauge exists', (t) => {
  const gauges = { ...PROCESSING_METRICS, ...PERSISTENCE_METRICS }
  for (const { at, bound, gauge } of BOUNDED) {
    t.ok(bound.length > 0, at)
    if (gauge) t.ok(gauge in gauges, `${at}: ${gauge}`)
  }
  t.equal(new Set(BOUNDED.map(({ at }) => at)).size, BOUNDED.length, 'each once')
  t.end()
})

t.test('a collection that nobody has named is found', (t) => {
  class Leaky {
    readonly #kept = new Map<string, readonly string[]>([['a', ['b', 'c']]])
    readonly parts = { inner: new Set([1, 2, 3]) }

    get size(): number {
      return this.#kept.size
    }
  }
  const leaky = new Leaky()
  t.equal(leaky.size, 1)
  t.same(
    collectionsOf(leaky).map(({ at, kind }) => [at, kind]),
    [
      ['Leaky.parts', 'set'],
      ['Leaky.#kept', 'map'],
    ],
  )
  t.end()
})
