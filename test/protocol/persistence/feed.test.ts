// The feed of one store: who follows gets what is committed, until it says that it has another home.

import t from 'tap'
import { lastOf } from '../../../protocol/entries/batch.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import { LOG_BOUNDS } from '../../../protocol/machine/config.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { PersistenceContext } from '../../../protocol/persistence/context.js'
import { Feeds } from '../../../protocol/persistence/feed.js'
import { logOf } from './logs.js'

t.test('a follower gets each committed batch once; after the end it gets none', async (t) => {
  const log = logOf([{ k: 1 }, { k: 2 }, { k: 3 }])
  const feed = (step: The<'FEED'>['step'], after: number): The<'FEED'> => ({
    type: 'FEED',
    ...{ after, chain: log.placeAt(after)!.chain, step, bodies: true, urgent: true },
  })
  const [one, two] = [{}, {}] as [LinkId, LinkId]
  const sent: [LinkId, number[]][] = []
  const outbox = {
    send: (link: LinkId, message: Message) => {
      if (message.type === 'BATCHES') sent.push([link, message.batches.map(lastOf)])
    },
  }
  const context = { log, outbox, bounds: LOG_BOUNDS } as unknown as PersistenceContext
  const feeds = new Feeds(context)
  const commit = (index: number): void => {
    log.commitThrough(index)
    feeds.pump()
  }
  feeds.onFeed(one, feed('begin', 0))
  feeds.onFeed(two, feed('begin', 1))
  commit(2)
  t.same(sent.splice(0), [
    [one, [1, 2]],
    [two, [2]],
  ])
  feeds.onFeed(one, feed('end', 2))
  t.equal(feeds.followers, 1)
  feeds.onFeed(one, feed('acknowledge', 2))
  t.equal(feeds.followers, 1, 'an acknowledgement begins nothing')
  commit(3)
  t.same(sent, [[two, [3]]])
})
