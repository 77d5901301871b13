// Each line of a file is sent once, though the program may die at any moment and be started again.
//
//   node examples/exactly-once.mjs JOBS.txt
//   CRASH_AT=3 node examples/exactly-once.mjs JOBS.txt     # dies when the third is stored
//
// While the program lives, the library sees to it: a send that was not answered is sent again under
// the same stream and seq. A new process has a new stream, and the library takes up no old one. So
// this program keeps a journal beside the file, and asks after a restart which sends are stored that
// the journal lacks. That is sound for an account that sends nothing else, one send at a time, and
// for sends that have ended: a send that is still on its way to a replica when its program has died
// is not seen. Each text carries its number, so that the recipient can tell that case too.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { enter } from './cluster.mjs'

const RECIPIENT = 'printer'
const file = process.argv[2]
if (!file) throw new Error('name the file of jobs')
const journal = `${file}.sent`

const jobs = readFileSync(file, 'utf8').split('\n').filter(Boolean)
const client = await enter('spooler')
await (await enter(RECIPIENT)).close()

/** @type {{ sent: number, index: number }} `index`: place in the log of the last one. */
const done = existsSync(journal)
  ? JSON.parse(readFileSync(journal, 'utf8'))
  : { sent: 0, index: (await client.receipts.list({ limit: 1 }))[0]?.index ?? 0 }

/** @param {number} index */
function note(index) {
  done.sent++
  done.index = index
  writeFileSync(journal, JSON.stringify(done), { flush: true })
}

// Before the first send: else a crash in it could not be told from sends of an earlier file.
if (!existsSync(journal)) writeFileSync(journal, JSON.stringify(done), { flush: true })

const lately = await client.receipts.list({ to: RECIPIENT, limit: 10 })
for (const { index, state } of lately.toReversed()) {
  if (index <= done.index || state === 'refused') continue
  console.log(`job ${done.sent + 1} was stored at ${index} before the crash`)
  note(index)
}

while (done.sent < jobs.length) {
  const number = done.sent + 1
  const { index } = await client.send(RECIPIENT, `${number}: ${jobs[done.sent]}`)
  // The worst moment: the message is stored, and the journal does not say so.
  if (process.env['CRASH_AT'] === String(number)) process.exit(1)
  note(index)
  console.log(`job ${number} is stored at ${index}`)
}
await client.close()
