// The choice of a home: exactly one persistence replica feeds a processing replica.

import t from 'tap'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { ProcessingContext } from '../../../protocol/processing/context.js'
import { LogClient } from '../../../protocol/processing/log-client.js'
import type { LogQueries } from '../../../protocol/processing/log-queries.js'
import { LogReplicas } from '../../../protocol/processing/log-replicas.js'
import type { LogWrites } from '../../../protocol/processing/log-writes.js'
import type { Slot } from '../../../protocol/slots.js'
import type { Executor } from '../../../protocol/state/executor.js'

const heartbeat = (status: The<'STORE_HEARTBEAT'>['status']): The<'STORE_HEARTBEAT'> => ({
  ...{ type: 'STORE_HEARTBEAT', status, epoch: { counter: 1, slot: 1 }, members: [1, 2, 3] },
  ...{ last: 5, committed: 5, lamport: 5, reaches: [1, 2, 3], hears: [1], full: false },
})

t.test('the old home is told to send no more, the new one where to begin', async (t) => {
  const fed: [Slot, The<'FEED'>['step'], number][] = []
  const links = [{}, {}, {}] as LinkId[]
  const outbox = {
    log: () => {},
    send: (link: LinkId, message: Message) => {
      if (message.type === 'FEED') fed.push([links.indexOf(link) + 1, message.step, message.after])
    },
  }
  const now = { monotonic: 0, wall: 0 }
  const own = { self: 1, stores: 3, holds: 0, weight: 0, now, timings: TIMINGS, outbox }
  const context = own as unknown as ProcessingContext
  const replicas = new LogReplicas(context)
  const writes = { claiming: '', sendAgain: () => {} } as unknown as LogWrites
  const executor = { base: { index: 5 } } as unknown as Executor
  const log = new LogClient(context, replicas, writes, {} as LogQueries, executor)
  for (const [i, link] of links.entries()) {
    log.linkUp(link, i + 1, 'main')
    replicas.get(i + 1)!.heartbeat = heartbeat('normal')
  }
  log.choose()
  t.same(fed.splice(0), [[1, 'begin', 5]])
  replicas.get(1)!.heartbeat = heartbeat('outside')
  log.choose()
  t.same(fed, [
    [1, 'end', 5],
    [2, 'begin', 5],
  ])
})
