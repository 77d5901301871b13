// A process that writes groups is killed at any instant. Each group is in the file whole or not at
// all, and every acknowledged group is there.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Store } from '../../../daemons/storage/store.js'
import { GENESIS, INCARNATION, chained, endOf, messageDraft } from './log-maker.js'

const GROUP = 7
const self = fileURLToPath(import.meta.url)

async function writeForEver(path: string): Promise<void> {
  const { store, recovered } = (await Store.open(path))!
  const { last, chain } = recovered.durable
  let place = { index: last, chain }
  for (;;) {
    const next = place.index
    const drafts = Array.from({ length: GROUP }, (_, i) => messageDraft('alice', 1, next + i + 1))
    const batches = chained(place, [drafts.slice(0, 5), ...drafts.slice(5)])
    // The view is written in the same transaction, so its counter must always match the log's
    // length.
    const counter = (next + GROUP) / GROUP
    await store.write({ batches, commit: next, view: { epoch: { counter, slot: 1 }, members: [] } })
    place = endOf(batches.at(-1)!)
    process.stdout.write(`${place.index}\n`)
  }
}

async function killedAfter(path: string, acknowledgements: number): Promise<number> {
  const child = spawn(process.execPath, [self, 'write', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.split('\n').length > acknowledgements) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return Number(output.split('\n').at(-2))
}

if (process.argv[2] === 'write') {
  await writeForEver(process.argv[3]!)
} else {
  t.test('a file survives kill -9 while groups are written', async (t) => {
    const path = join(t.testdir(), 's1.db')
    await Store.create(path, GENESIS, INCARNATION)
    for (const acknowledgements of [1, 5, 20, 90]) {
      const acknowledged = await killedAfter(path, acknowledgements)
      const { store, recovered } = (await Store.open(path))!
      const { last, logView } = recovered.durable
      t.equal(last % GROUP, 0, 'whole groups')
      t.equal(logView.counter, last / GROUP, 'log and view change together')
      t.ok(last >= acknowledged, `acknowledged ${acknowledged}, found ${last}`)
      await store.close()
    }
  })
}
