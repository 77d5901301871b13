// Self times and categories of a small profile made by hand.

import t from 'tap'
import { byCategory, selfTimes } from './cpu-profile.js'
import type { CpuProfile } from './cpu-profile.js'

const FILES = 'file:///home/troca/'

function node(id: number, functionName: string, url = '', children: number[] = []) {
  return { id, callFrame: { functionName, url }, children }
}

/** A sample each 10 µs from 1,010 µs on. */
function profileOf(nodes: CpuProfile['nodes'], samples: readonly number[]): CpuProfile {
  const endTime = 1_000 + 10 * samples.length
  return { nodes, samples, startTime: 1_000, endTime, timeDeltas: samples.map(() => 10) }
}

const NODES = [
  node(1, '(root)', '', [2, 3, 4, 5, 8, 10, 13]),
  ...[node(2, '(program)'), node(3, '(idle)'), node(4, '(garbage collector)')],
  node(5, 'encodeFrame', `${FILES}dist/protocol/wire/frame.js`, [6]),
  node(6, 'pack', `${FILES}node_modules/msgpackr/pack.js`, [7]),
  node(7, 'utf8Write'),
  node(8, '#flush', `${FILES}dist/daemons/net/link.js`, [9]),
  node(9, 'writeBuffer'),
  node(10, 'step', `${FILES}dist/protocol/replicas/processing.js`, [11]),
  node(11, 'update', 'node:internal/crypto/hash', [12]),
  node(12, 'update'),
  node(13, 'seal', `${FILES}dist/protocol/envelope/seal.js`, [14, 15]),
  node(14, 'from', 'node:buffer'),
  node(15, '', `${FILES}dist/daemons/storage/connection.js`),
]
const ALL = { fromUs: 0, toUs: Infinity }

t.test('each function has its category; what is native counts for its caller', async (t) => {
  const ids = NODES.map(({ id }) => id)
  // The last sample has no next one, so it counts nothing.
  const times = selfTimes(profileOf(NODES, [...ids, 1]), ALL)
  const found = times.map(({ functionName, category }) => `${functionName}: ${category}`)
  t.same(found.sort(), [
    '#flush: sockets',
    '(anonymous): SQLite',
    '(garbage collector): GC',
    '(idle): idle',
    '(program): other',
    '(root): other',
    'encodeFrame: codec',
    'from: sealing',
    'pack: codec',
    'seal: sealing',
    'step: machine',
    'update: hashing',
    'update: hashing',
    'utf8Write: codec',
    'writeBuffer: sockets',
  ])
  const sums = byCategory(times)
  t.match(sums, new Map([['codec', 30]]))
  t.equal(
    [...sums.values()].reduce((sum, us) => sum + us, 0),
    10 * ids.length,
    'every sample counts once',
  )
})

t.test('times of one function are added up, the longest first', async (t) => {
  const times = selfTimes(profileOf(NODES, [6, 3, 6, 6, 3, 1]), ALL)
  t.match(times, [
    { functionName: 'pack', file: 'node_modules/msgpackr/pack.js', us: 30 },
    { functionName: '(idle)', file: '', us: 20 },
  ])
  t.equal(times.length, 2)
})

t.test('only samples of the window count', async (t) => {
  const profile = profileOf(NODES, [3, 6, 9, 3])
  t.match(selfTimes(profile, { fromUs: 1_020, toUs: 1_030 }), [{ functionName: 'pack', us: 10 }])
  t.same(selfTimes(profile, { fromUs: 9_000, toUs: 9_999 }), [])
})
