// One client sends, another receives: the shortest complete program.
//
//   node examples/send-and-listen.mjs

import { enter } from './cluster.mjs'

const LINES = ['olá', 'tudo bem?', 'até já']

const sender = await enter('carla')
const reader = await enter('davi')

// Sends may overlap: they are stored in the order of the calls.
const receipts = await Promise.all(LINES.map((line) => sender.send('davi', line)))
for (const { index, seq } of receipts) console.log(`sent: place ${index} of the log, seq ${seq}`)

let awaited = LINES.length
for await (const message of reader.messages()) {
  console.log(`${message.from}: ${message.text}`)
  // An unacknowledged message comes again in the next session.
  message.ack()
  if (--awaited === 0) break
}

await Promise.all([sender.close(), reader.close()])
