// Which persistence replicas a processing replica hears.

import t from 'tap'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import type { ProcessingContext } from '../../../protocol/processing/context.js'
import { LogReplicas } from '../../../protocol/processing/log-replicas.js'

t.test('a replica is heard over its main lane alone', async (t) => {
  const [main, bulk] = [{}, {}] as [LinkId, LinkId]
  const now = { monotonic: 0, wall: 0 }
  const context = { self: 1, stores: 3, now, timings: TIMINGS } as unknown as ProcessingContext
  const replicas = new LogReplicas(context)
  replicas.linkUp(main, 2, 'main')
  replicas.linkUp(bulk, 2, 'bulk')
  t.equal(replicas.hears(2), true)
  now.monotonic = TIMINGS.suspect + 1
  t.same(replicas.heard(bulk), { slot: 2, lane: 'bulk' })
  t.equal(replicas.hears(2), false, 'orders go by the main lane, which is silent')
  t.same(replicas.heard(main), { slot: 2, lane: 'main' })
  t.equal(replicas.hears(2), true)
})
