// Viewstamped Replication Revisited (Liskov & Cowling 2012), as far as its rules are ours: a view
// change keeps what was committed, a replica that recovers takes no part until it is let in.

import t from 'tap'
import { MiniCluster } from './mini-cluster.js'

t.test('a view is asked for, promised, installed and active, in this order', async (t) => {
  const mini = new MiniCluster(1)
  t.ok(mini.until(() => mini.heard.some((line) => line.includes('ACTIVE'))))
  const active = mini.heard.find((line) => line.includes('ACTIVE'))!
  const epoch = active.split(' ').at(-1)!
  const kinds = mini.heard.filter((line) => line.endsWith(` ${epoch}`)).map((l) => l.split(' ')[3])
  const firsts = [...new Set(kinds)].filter((kind) => kind !== 'REQUEST' && kind !== 'REPLY')
  const course = ['ASK', 'CONSENT', 'PREPARE', 'PROMISE', 'INSTALL', 'INSTALLED', 'ACTIVE']
  t.same(firsts.slice(0, course.length), course)
})

t.test('the view change: what was committed survives the loss of the holder', async (t) => {
  const mini = new MiniCluster(2)
  t.ok(mini.until(() => mini.committed > 50 && mini.holder !== undefined))
  const before = mini.cluster.history.committed
  const holder = mini.holder!
  holder.crash()
  const others = mini.cluster.persistence.filter((host) => host !== holder)
  t.ok(mini.untilCommitted(20), 'the others go on')
  for (const { disk } of others) t.equal(disk!.file!.log[before.index], before)
  for (const { disk } of others) t.equal(disk!.file!.view.members.length, 2)
})

t.test('recovery: a restarted replica takes no part until a new view names it', async (t) => {
  const mini = new MiniCluster(3)
  t.ok(mini.until(() => mini.committed > 20 && mini.view(3)?.status === 'normal'))
  const old = mini.store(3).disk!.file!.view.epoch
  mini.store(3).crash()
  mini.cluster.start(mini.store(3))
  t.equal(mini.view(3)?.status, 'outside')
  t.ok(mini.until(() => mini.view(3)?.status === 'normal'))
  t.ok(mini.view(3)!.installedEpoch.counter > old.counter, 'by a new view, not by the old one')
})

t.test('a minority serves nobody and forms no view', async (t) => {
  const mini = new MiniCluster(4)
  t.ok(mini.until(() => mini.committed > 20 && mini.view(1)?.status === 'normal'))
  mini.store(2).crash()
  mini.store(3).crash()
  mini.pass(5_000)
  const before = mini.committed
  const epoch = mini.store(1).disk!.file!.view.epoch
  mini.pass(10_000)
  t.equal(mini.committed, before)
  t.same(mini.store(1).disk!.file!.view.epoch, epoch)
})

t.test('after a restart of all somebody begins', async (t) => {
  const mini = new MiniCluster(5)
  t.ok(mini.until(() => mini.committed > 20))
  for (const host of mini.cluster.persistence) host.crash()
  for (const host of mini.cluster.persistence) mini.cluster.start(host)
  t.ok(mini.untilCommitted(20))
})

t.test('state transfer: who was cut off catches up and is taken in again', async (t) => {
  const mini = new MiniCluster(6)
  t.ok(mini.until(() => mini.committed > 20))
  const cut = mini.holder ?? mini.store(1)
  mini.isolate(cut)
  t.ok(mini.untilCommitted(50), 'the majority goes on without it')
  mini.heal()
  t.ok(mini.until(() => cut.disk!.file!.view.members.length === 3))
  const goal = mini.committed
  t.ok(mini.until(() => cut.disk!.last.index >= goal))
  t.equal(cut.disk!.file!.log[goal], mini.cluster.history.ledger[goal])
})

t.test('a lost file comes back as a learner, under a new incarnation', async (t) => {
  const mini = new MiniCluster(7)
  t.ok(mini.until(() => mini.committed > 20 && mini.view(2)?.status === 'normal'))
  const store = mini.store(2)
  store.crash()
  store.disk!.lose()
  mini.cluster.start(store)
  t.equal(mini.view(2)?.status, 'learner')
  t.ok(mini.until(() => mini.view(2)?.status === 'normal'))
  t.equal(store.disk!.file!.incarnation.counter, 2)
  const goal = mini.committed
  t.ok(mini.until(() => store.disk!.last.index >= goal))
})

t.test('a full disk leaves the view and comes back by itself', async (t) => {
  const mini = new MiniCluster(8)
  t.ok(mini.until(() => mini.committed > 20 && mini.view(3)?.status === 'normal'))
  const { disk } = mini.store(3)
  disk!.full = true
  t.ok(mini.until(() => mini.view(3)?.status === 'outside'))
  t.ok(mini.untilCommitted(20), 'the others go on')
  disk!.full = false
  t.ok(mini.until(() => mini.view(3)?.status === 'normal'))
})
