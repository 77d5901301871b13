// The states of each send, as they change: accepted, stored, delivered, read.
//
//   node examples/receipts.mjs

import { enter } from './cluster.mjs'

const SENDS = 6
const STATES = ['accepted', 'stored', 'delivered', 'read']

const sender = await enter('gil')
const reader = await enter('hana')

/** The state of each send, by its seq. @type {Map<number, string>} */
const states = new Map()

const allRead = new Promise((resolve) => {
  sender.events.on('receipt', ({ seq, state }) => {
    states.set(seq, state)
    const counts = STATES.map((name) => {
      return `${name} ${[...states.values()].filter((one) => one === name).length}`
    })
    console.log(counts.join('  '))
    if (states.size === SENDS && [...states.values()].every((one) => one === 'read')) {
      resolve(undefined)
    }
  })
})
await sender.receipts.follow()

for (let n = 1; n <= SENDS; n++) await sender.send('hana', `number ${n}`)

const stop = new AbortController()
const reading = (async () => {
  for await (const message of reader.messages({ signal: stop.signal })) message.ack()
})()
await allRead
stop.abort()
await reading

// The service keeps the newest 1,000 sends of an account, so a list needs no client that followed.
for (const { to, index, state, time } of await sender.receipts.list({ limit: 3 })) {
  console.log(`${new Date(time).toISOString()}  ${index} to ${to}: ${state}`)
}
await Promise.all([sender.close(), reader.close()])
