// Each line of a file is sent once, though the program may die at any moment and be started again.
//
//   node examples/exactly-once.mjs JOBS.txt
//   CRASH_AT=3 node examples/exactly-once.mjs JOBS.txt     # dies when the third is stored
//
// While the program runs, the library sends an unanswered message again with the same stream and
// seq, so it is stored once. A new process has a new stream, and the library does not continue old
// ones. Therefore this program keeps a journal beside the file. After a restart the program asks
// for stored sends that the journal lacks. This is correct if the account sends nothing else and
// one message at a time. It misses a send that is still on its way to a replica when the program
// asks; each text begins with its number, so that the recipient can detect this case.

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

// Written before the first send, so that a crash in that send is not taken for an earlier file.
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
  // The worst moment to crash: the message is stored, and the journal lacks it.
  if (process.env['CRASH_AT'] === String(number)) process.exit(1)
  note(index)
  console.log(`job ${number} is stored at ${index}`)
}
await client.close()
