// Viewstamped Replication as docs/PROTOCOL.md changes it, in whole clusters: real replicas that
// crash, lose their files, are cut off and come back, with a writer that the test plays.
// viewstamped-replication.test.ts has the rules one by one.

import t from 'tap'
import type { MessageName } from '../../protocol/messages/catalogue.js'
import { PlayedWriter } from './played.js'
import { Stage } from './stage.js'

const CHANGE: MessageName[] = [
  'ASK',
  'CONSENT',
  'PREPARE',
  'PROMISE',
  'INSTALL',
  'INSTALLED',
  'ACTIVE',
]
/** A cluster of real replicas, all of them up. */
function cluster(slots: number): Stage {
  const stage = new Stage(slots)
  for (let slot = 1; slot <= slots; slot++) stage.addStore(slot, slots)
  return stage
}

const statuses = (stage: Stage, slots: readonly number[]): string[] =>
  slots.map((slot) => stage.store(`s${slot}`).status)

t.test('the first view begins with a majority; a replica that links later makes it grow', (t) => {
  const stage = cluster(3)
  stage.start()
  stage.untilSent('s1', 's3', 'ACTIVE')
  stage.run(100)
  t.same(stage.lines(CHANGE), [
    's1 → s2 ASK 1.1 [1 2]',
    's2 → s1 CONSENT 1.1 granted',
    's1 → s2 PREPARE 1.1',
    's2 → s1 PROMISE 1.1 log 0.0/0',
    's1 → s2 INSTALL 1.1 [1 2] log 0',
    's2 → s1 INSTALLED 1.1',
    's1 → s2 ACTIVE 1.1',
    's1 → s2 ASK 2.1 [1 2 3]',
    's1 → s3 ASK 2.1 [1 2 3]',
    's3 → s1 CONSENT 2.1 granted',
    's2 → s1 CONSENT 2.1 granted',
    's1 → s2 PREPARE 2.1',
    's1 → s3 PREPARE 2.1',
    's2 → s1 PROMISE 2.1 log 1.1/0',
    's3 → s1 PROMISE 2.1 log 0.0/0',
    's1 → s2 INSTALL 2.1 [1 2 3] log 0',
    's1 → s3 INSTALL 2.1 [1 2 3] log 0',
    's2 → s1 INSTALLED 2.1',
    's3 → s1 INSTALLED 2.1',
    's1 → s2 ACTIVE 2.1',
    's1 → s3 ACTIVE 2.1',
  ])
  t.same(statuses(stage, [1, 2, 3]), ['normal', 'normal', 'normal'])
  t.end()
})

t.test('a view is active, and its log committed, only when all its members have installed', (t) => {
  const stage = cluster(3)
  stage.start()
  stage.untilSent('s1', 's3', 'INSTALL')
  stage.hold('s3', 's1')
  const mark = stage.said.length
  stage.run(400)
  t.same(stage.lines(['INSTALLED', 'ACTIVE'], mark), [
    's2 → s1 INSTALLED 2.1',
    's3 → s1 INSTALLED 2.1',
  ])
  stage.release('s3', 's1')
  stage.run(10)
  t.same(stage.lines(['ACTIVE'], mark), ['s1 → s2 ACTIVE 2.1', 's1 → s3 ACTIVE 2.1'])
  t.end()
})

/** A cluster in its first view, and a writer whose term is committed. */
function serving(slots: number): { stage: Stage; writer: PlayedWriter } {
  const stage = cluster(slots)
  const writer = new PlayedWriter(stage, 1)
  stage.start()
  stage.until('all normal', () =>
    statuses(
      stage,
      Array.from({ length: slots }, (_, i) => i + 1),
    ).every((s) => s === 'normal'),
  )
  stage.run(200)
  writer.claim('s1')
  return { stage, writer }
}

t.test('an entry is committed by ACKs of a majority, and told with COMMIT', (t) => {
  const { stage, writer } = serving(3)
  stage.run(100)
  const mark = stage.said.length
  stage.hold('s3', 's1')
  writer.append('s1', 1)
  stage.run(50)
  t.same(stage.lines(['REQUEST', 'REPLICATE', 'ACK', 'APPENDED', 'COMMIT'], mark), [
    's1 → s2 REPLICATE 2.1',
    's1 → s3 REPLICATE 2.1',
    's2 → s1 ACK 2.1',
    's3 → s1 ACK 2.1',
    's1 → p1 APPENDED 1',
    's1 → s2 COMMIT 2.1',
    's1 → s3 COMMIT 2.1',
  ])
  t.end()
})

t.test('P5: the holder counts itself only after its own fsync', (t) => {
  const { stage, writer } = serving(3)
  stage.run(100)
  stage.hold('s3', 's1')
  stage.disk('s1').stuckUntil = stage.timeline.now + 300
  const mark = stage.said.length
  writer.append('s1', 1)
  stage.run(200)
  t.same(stage.lines(['REPLICATE', 'ACK', 'APPENDED'], mark), [
    's1 → s2 REPLICATE 2.1',
    's1 → s3 REPLICATE 2.1',
    's2 → s1 ACK 2.1',
    's3 → s1 ACK 2.1',
  ])
  stage.run(150)
  t.same(stage.lines(['APPENDED'], mark), ['s1 → p1 APPENDED 1'])
  t.end()
})

t.test("a replica's unanswered appends are put back, and answered after the change", (t) => {
  const { stage, writer } = serving(3)
  stage.hold('s1', 's2')
  stage.hold('s1', 's3')
  const mark = stage.said.length
  writer.append('s1', 1, 'first')
  writer.append('s1', 2, 'second')
  stage.run(50)
  t.equal(stage.disk('s1').last.index, 3, 'in the own file, and in no other')
  stage.until('a view without s1', () => stage.store('s2').installedEpoch.counter > 2)
  t.equal(stage.sent('APPENDED', mark).length, 0)
  stage.release('s1', 's2')
  stage.release('s1', 's3')
  stage.until('both answered', () => stage.sent('APPENDED', mark).length === 2)
  t.same(stage.lines(['APPENDED'], mark), ['s1 → p1 APPENDED 1', 's1 → p1 APPENDED 2'])
  stage.run(500)
  for (const name of ['s1', 's2', 's3']) {
    const orders = stage.disk(name).file!.log.filter(({ entry }) => entry && entry.k > 0)
    t.same(
      orders.map(({ entry }) => Buffer.from(entry!.body).toString()),
      ['first', 'second'],
    )
    t.ok(
      orders.every(({ batch }) => batch!.epoch.counter > 1),
      'written anew in the new view',
    )
  }
  t.end()
})

t.test('an entry that a majority holds is in every later view, acknowledged or not (P3)', (t) => {
  const { stage, writer } = serving(3)
  stage.hold('s2', 's1')
  stage.hold('s3', 's1')
  const mark = stage.said.length
  writer.append('s1', 1, 'held')
  stage.run(50)
  t.equal(stage.sent('APPENDED', mark).length, 0)
  stage.crash('s1')
  stage.until('a view of the others', () => stage.store('s2').installedEpoch.counter > 2)
  stage.until('committed', () => stage.store('s2').log.commit === 2)
  t.same(Buffer.from(stage.disk('s3').last.entry!.body).toString(), 'held')
  t.end()
})

t.test('a restarted member never resumes its old view: it joins by a new one', (t) => {
  const { stage } = serving(3)
  const before = stage.store('s3').installedEpoch
  stage.crash('s3')
  stage.start('s3')
  const mark = stage.said.length
  t.equal(stage.store('s3').status, 'outside')
  stage.until('in a view', () => stage.store('s3').status === 'normal')
  t.ok(stage.store('s3').installedEpoch.counter > before.counter)
  const own = stage.said.slice(mark).filter(({ from }) => from === 's3')
  const ofOld = own.filter(({ message }) =>
    ['REQUEST', 'REPLY', 'REPLICATE', 'ACK', 'COMMIT'].includes(message.type),
  )
  t.ok(ofOld.every(({ message }) => 'epoch' in message && message.epoch.counter > before.counter))
  t.same(
    stage.sent('ASK', mark).filter(({ from }) => from === 's3'),
    [],
    'it does not begin one',
  )
  t.end()
})

t.test('a cluster whose replicas all restarted forms a view', (t) => {
  const { stage, writer } = serving(3)
  writer.append('s1', 1)
  stage.run(100)
  const before = stage.store('s1').installedEpoch.counter
  stage.crash('s1', 's2', 's3')
  stage.start('s1', 's2', 's3')
  stage.until('all normal', () => statuses(stage, [1, 2, 3]).every((s) => s === 'normal'))
  stage.until('committed', () => stage.store('s3').log.commit === 2)
  t.ok(stage.store('s1').installedEpoch.counter > before)
  t.end()
})

t.test('P9: a lost file comes back under a new incarnation and gets the log again', (t) => {
  const { stage, writer } = serving(3)
  writer.append('s1', 1)
  stage.run(100)
  stage.crash('s3')
  stage.disk('s3').lose()
  const mark = stage.said.length
  stage.start('s3')
  t.equal(stage.store('s3').status, 'learner')
  stage.until('in a view', () => stage.store('s3').status === 'normal')
  t.same(stage.disk('s3').file!.incarnation.counter, 2)
  t.equal(stage.disk('s3').last, stage.disk('s1').last, 'the same log')
  t.equal(stage.lines(['WHO_AM_I'], mark)[0], 's3 → s1 WHO_AM_I')
  t.ok(stage.sent('PROMISE', mark).some(({ from, message }) => from === 's3' && message.learner))
  t.notOk(
    stage.sent('PULLED', mark).some(({ from }) => from === 's3'),
    'a learner serves no pulls',
  )
  t.end()
})

t.test('a cluster with too many files lost stops: nobody invents a majority', (t) => {
  const { stage, writer } = serving(3)
  writer.append('s1', 1)
  stage.run(100)
  stage.crash('s1', 's2', 's3')
  stage.disk('s2').lose()
  stage.disk('s3').lose()
  const mark = stage.said.length
  stage.start('s1', 's2', 's3')
  stage.run(15_000)
  t.equal(stage.sent('INSTALL', mark).length, 0)
  t.same(statuses(stage, [2, 3]), ['learner', 'learner'])
  t.ok(stage.logged('s2 too-few-files') && stage.logged('s3 too-few-files'), 'and says so')
  t.end()
})

t.test('five replicas: two lost leave a view of three, three lost leave none', (t) => {
  const { stage, writer } = serving(5)
  const { counter } = stage.store('s1').installedEpoch
  stage.crash('s4', 's5')
  stage.until('a view of three', () => stage.store('s1').installedEpoch.counter > counter)
  stage.until('normal', () => statuses(stage, [1, 2, 3]).every((s) => s === 'normal'))
  writer.append('s1', 1)
  stage.untilSent('s1', 'p1', 'APPENDED')
  const mark = stage.said.length
  stage.crash('s3')
  writer.append('s1', 2)
  stage.run(10_000)
  t.equal(stage.sent('APPENDED', mark).length, 0)
  t.equal(stage.sent('INSTALL', mark).length, 0)
  stage.start('s3', 's4', 's5')
  stage.until('answered', () => stage.sent('APPENDED', mark).length > 0)
  t.match(stage.lines(['APPENDED'], mark), ['s1 → p1 APPENDED 2'])
  stage.until('five again', () => statuses(stage, [3, 4, 5]).every((s) => s === 'normal'))
  stage.until('equal logs', () => stage.disk('s5').last === stage.disk('s1').last)
  t.end()
})

t.test('five replicas: a minority that is cut off forms no view and commits nothing', (t) => {
  const { stage, writer } = serving(5)
  const { counter } = stage.store('s1').installedEpoch
  stage.cut(['s1', 's2', 'p1'], ['s3', 's4', 's5'])
  const mark = stage.said.length
  writer.append('s1', 1)
  stage.until('a view of the others', () => stage.store('s3').installedEpoch.counter > counter)
  stage.run(3_000)
  t.equal(stage.sent('APPENDED', mark).length, 0)
  t.equal(stage.store('s1').installedEpoch.counter, counter)
  t.same(
    stage.disk('s3').file!.view.members.map(({ slot }) => slot),
    [3, 4, 5],
  )
  stage.heal()
  stage.until('answered', () => stage.sent('APPENDED', mark).length > 0)
  stage.until('equal logs', () =>
    [2, 3, 4, 5].every((n) => stage.disk(`s${n}`).last === stage.disk('s1').last),
  )
  t.equal(stage.disk('s5').last.fence.k, 1)
  t.end()
})
