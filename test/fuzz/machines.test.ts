// No machine halts on the messages of one rogue replica or client: well-formed messages with random
// values, values heard before and edge values, in every state of a working cluster.

import t from 'tap'
import { OF_LIARS } from '../simulator/coverage/known.js'
import { DELIBERATE, runMachines } from './machines.js'

const SEEDS = 4
const VIRTUAL_MS = 5_000
const reached = new Set<string>()

for (const kind of ['client', 'processing', 'persistence'] as const) {
  t.test(`a rogue ${kind} that sends arbitrary messages halts no machine`, async (t) => {
    let [sent, orders] = [0, 0]
    for (let seed = 1; seed <= SEEDS; seed++) {
      const course = runMachines(seed, kind, VIRTUAL_MS)
      sent += course.sent
      orders += course.orders
      for (const name of course.reached) reached.add(name)
      const fault = course.end !== null && !DELIBERATE.test(course.end) ? course.end : null
      t.equal(fault, null, `seed ${seed}`)
      // A persistence replica that lies about incarnations may end others' (docs/SECURITY.md).
      if (kind !== 'persistence') t.ok(course.serves, `seed ${seed}: serves afterwards`)
    }
    t.ok(sent > 0, 'the rogue sent messages')
    t.ok(orders > 0, 'the cluster was at work')
  })
}

t.test('rogues reach states that the simulator cannot', async (t) => {
  for (const name of OF_LIARS) t.ok(reached.has(name), name)
})
