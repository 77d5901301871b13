// Nobody falls over what one replica, or one client, says: well-formed messages with values of
// chance, of what was heard, and of the edges, in every state that a cluster at work is in.

import t from 'tap'
import { OF_LIARS } from '../simulator/coverage/known.js'
import { DELIBERATE, runMachines } from './machines.js'

const SEEDS = 4
const VIRTUAL_MS = 5_000
const reached = new Set<string>()

for (const kind of ['client', 'processing', 'persistence'] as const) {
  t.test(`a ${kind} says anything at all beside its work`, async (t) => {
    let [sent, orders] = [0, 0]
    for (let seed = 1; seed <= SEEDS; seed++) {
      const course = runMachines(seed, kind, VIRTUAL_MS)
      sent += course.sent
      orders += course.orders
      for (const name of course.reached) reached.add(name)
      const fault = course.end !== null && !DELIBERATE.test(course.end) ? course.end : null
      t.equal(fault, null, `seed ${seed}`)
      // A store that lies about lives and views may end others' for good (docs/SECURITY.md).
      if (kind !== 'persistence') t.ok(course.serves, `seed ${seed}: serves afterwards`)
    }
    t.ok(sent > 0, 'it said something')
    t.ok(orders > 0, 'the cluster was at work')
  })
}

t.test('liars reach what the simulator cannot', async (t) => {
  for (const name of OF_LIARS) t.ok(reached.has(name), name)
})
