// Liskov & Cowling, "Viewstamped Replication Revisited", 2012, as docs/PROTOCOL.md changes it:
// whole persistence replicas, some of them played by the test. Epochs are written counter.slot.

import t, { type Test } from 'tap'
import { EPOCH_ZERO, type Epoch } from '../../protocol/entries/epoch.js'
import { Stage } from './stage.js'
import { PlayedStore, logOf, placeOf } from './played.js'

const epoch = (counter: number, slot: number): Epoch => ({ counter, slot })

/** `real` is a real replica, the test plays the others; all are linked. */
function playing(real: number, slots: number): { stage: Stage; s: Map<number, PlayedStore> } {
  const stage = new Stage(slots)
  const s = new Map<number, PlayedStore>()
  for (let slot = 1; slot <= slots; slot++) {
    if (slot === real) stage.addStore(slot, slots)
    else s.set(slot, new PlayedStore(stage, slot, slots))
  }
  stage.start()
  return { stage, s }
}

t.test('a view needs promises from a majority of ALL replicas', (t) => {
  const { stage, s } = playing(1, 5)
  stage.crash('s4', 's5')
  const { epoch: first } = stage.untilSent('s1', 's2', 'ASK')
  s.get(2)!.consent('s1', first)
  s.get(3)!.consent('s1', first)
  s.get(2)!.promise('s1', first)
  stage.run(700)
  t.equal(stage.sent('INSTALL').length, 0, 'two of five, though two of three linked')
  const { epoch: second } = stage.untilSent('s1', 's2', 'ASK')
  s.get(2)!.consent('s1', second)
  s.get(3)!.consent('s1', second)
  s.get(2)!.promise('s1', second)
  s.get(3)!.promise('s1', second)
  t.match(stage.lines(['INSTALL']), [/s1 → s2 INSTALL \d\.1 \[1 2 3\]/, /s1 → s3 INSTALL/])
  t.end()
})

t.test('the new log is the one with the highest (logView, last): logView first', (t) => {
  const { stage, s } = playing(1, 3)
  const [long, newer] = [logOf([epoch(1, 2), epoch(1, 2), epoch(1, 2)]), logOf([epoch(2, 3)])]
  const { epoch: e } = stage.untilSent('s1', 's3', 'ASK')
  s.get(2)!.consent('s1', e)
  s.get(3)!.consent('s1', e)
  s.get(2)!.promise('s1', e, { logView: epoch(1, 2), last: placeOf(long) })
  s.get(3)!.promise('s1', e, { logView: epoch(2, 3), last: placeOf(newer) })
  const pulls = stage.sent('PULL')
  t.same(
    pulls.map(({ to }) => to),
    ['s3'],
    'fetched from the source before INSTALL',
  )
  t.equal(stage.sent('INSTALL').length, 0)
  const [pull] = pulls
  const pulled = { common: { index: 0, chain: new Uint8Array(32) }, batches: newer }
  s.get(3)!.say('s1', { type: 'PULLED', id: pull!.message.id, ...pulled, last: 1, commit: 0 })
  t.match(stage.lines(['INSTALL']), [/\[1 2 3\] log 1/, /\[1 2 3\] log 1/])
  t.same(stage.sent('INSTALL')[0]?.message.last, placeOf(newer))
  t.end()
})

t.test('the longer of two logs of equal logViews is chosen', (t) => {
  const { stage, s } = playing(1, 3)
  const log = logOf([epoch(1, 2), epoch(1, 2), epoch(1, 2)])
  const { epoch: e } = stage.untilSent('s1', 's3', 'ASK')
  s.get(2)!.consent('s1', e)
  s.get(3)!.consent('s1', e)
  s.get(2)!.promise('s1', e, { logView: epoch(1, 2), last: placeOf(log) })
  s.get(3)!.promise('s1', e, { logView: epoch(1, 2), last: placeOf(log.slice(0, 2)) })
  t.same(
    stage.sent('PULL').map(({ to }) => to),
    ['s2'],
  )
  t.end()
})

t.test('a late promise does not widen the view', (t) => {
  const { stage, s } = playing(1, 3)
  const { epoch: e } = stage.untilSent('s1', 's3', 'ASK')
  s.get(2)!.consent('s1', e)
  s.get(3)!.consent('s1', e)
  s.get(2)!.promise('s1', e)
  stage.until('INSTALL', () => stage.sent('INSTALL').length > 0)
  const mark = stage.said.length
  s.get(3)!.promise('s1', e)
  s.get(2)!.installed = e
  s.get(2)!.say('s1', { type: 'INSTALLED', epoch: e })
  t.same(stage.lines(['INSTALL', 'ACTIVE'], mark), [`s1 → s2 ACTIVE ${e.counter}.1`])
  t.same(
    stage.disk('s1').file!.view.members.map(({ slot }) => slot),
    [1, 2],
  )
  t.end()
})

t.test("a promise to a higher epoch ends a replica's own proposal", (t) => {
  const { stage, s } = playing(1, 3)
  const { epoch: own } = stage.untilSent('s1', 's3', 'ASK')
  s.get(2)!.consent('s1', own)
  s.get(3)!.consent('s1', own)
  s.get(3)!.say('s1', { type: 'PREPARE', epoch: epoch(7, 3), incarnations: [] })
  s.get(2)!.promise('s1', own)
  stage.run(700)
  t.equal(stage.sent('INSTALL').length, 0, 'one promise and the own would be a majority')
  t.same(stage.lines(['PROMISE']).at(0), 's1 → s3 PROMISE 7.3 log 0.0/0')
  t.end()
})

t.test('P4, P5: a promise is on disk before it is said, and never goes down', (t) => {
  const { stage, s } = playing(2, 3)
  stage.run(100)
  stage.disk('s2').stuckUntil = stage.timeline.now + 200
  s.get(3)!.say('s2', { type: 'PREPARE', epoch: epoch(5, 3), incarnations: [] })
  t.same(stage.lines(['PROMISE']), [], 'the disk takes its time')
  stage.run(300)
  t.same(stage.lines(['PROMISE']), ['s2 → s3 PROMISE 5.3 log 0.0/0'])
  t.same(stage.disk('s2').file!.promised, epoch(5, 3))
  s.get(1)!.say('s2', { type: 'PREPARE', epoch: epoch(5, 1), incarnations: [] })
  t.same(stage.lines(['STALE']), ['s2 → s1 STALE 5.1'])
  t.same(stage.sent('STALE')[0]?.message.promised, epoch(5, 3), 'and it says why')
  s.get(3)!.say('s2', { type: 'PREPARE', epoch: epoch(5, 3), incarnations: [] })
  t.equal(stage.sent('PROMISE').length, 2, 'asked again for the same: the same again')
  t.end()
})

/** s2 has promised 5.1 to s1 and has installed it, with all three as members. */
function installed(t: Test): ReturnType<typeof playing> {
  const play = playing(2, 3)
  const { stage, s } = play
  stage.run(100)
  install(play)
  t.same(stage.lines(['PROMISE', 'INSTALLED']), [
    's2 → s1 PROMISE 5.1 log 0.0/0',
    's2 → s1 INSTALLED 5.1',
  ])
  for (const one of s.values()) {
    one.installed = one.promised = epoch(5, 1)
    one.heartbeat = { status: 'normal', active: true }
  }
  stage.run(30)
  return play
}

function prepare({ s }: ReturnType<typeof playing>): void {
  s.get(1)!.say('s2', { type: 'PREPARE', epoch: epoch(5, 1), incarnations: [] })
}

function install(play: ReturnType<typeof playing>, members = [1, 2, 3]): void {
  prepare(play)
  sayInstall(play, members)
}

function sayInstall({ s }: ReturnType<typeof playing>, members = [1, 2, 3]): void {
  const genesis = { counter: 1, nonce: '' }
  const body = {
    members: members.map((slot) => ({ slot, incarnation: genesis })),
    incarnations: [],
  }
  const last = placeOf([])
  s.get(1)!.say('s2', { type: 'INSTALL', epoch: epoch(5, 1), ...body, last, commit: 0 })
}

t.test('P8: INSTALL is applied once; the second time it is only answered', (t) => {
  const play = installed(t)
  const { stage, s } = play
  const batches = logOf([epoch(5, 1), epoch(5, 1)])
  const body = { previous: placeOf([]), batches, commit: 0 }
  s.get(1)!.say('s2', { type: 'REPLICATE', epoch: epoch(5, 1), ...body })
  t.same(stage.lines(['ACK']), ['s2 → s1 ACK 5.1'])
  const mark = stage.said.length
  sayInstall(play)
  t.same(stage.lines(['INSTALLED'], mark), ['s2 → s1 INSTALLED 5.1'])
  t.equal(stage.disk('s2').last.index, 2, 'what the view has written since is still there')
  t.end()
})

t.test('INSTALL of an epoch that was not promised changes nothing', (t) => {
  const play = playing(2, 3)
  play.stage.run(100)
  sayInstall(play)
  t.same(play.stage.lines(['INSTALLED']), [])
  t.same(play.stage.disk('s2').file!.view.epoch, EPOCH_ZERO)
  t.end()
})

t.test('a replica that restarted since its promise neither installs nor repeats it', (t) => {
  const play = playing(2, 3)
  const { stage } = play
  stage.run(100)
  prepare(play)
  stage.crash('s2')
  stage.start('s2')
  stage.run(200)
  t.same(stage.disk('s2').file!.promised, epoch(5, 1), 'the promise itself has survived (P4)')
  const mark = stage.said.length
  prepare(play)
  sayInstall(play)
  t.same(stage.lines(['PROMISE', 'INSTALLED'], mark), [])
  t.end()
})

t.test('a REQUEST that overtakes INSTALL is kept, and answered after it', (t) => {
  const play = playing(2, 3)
  const { stage, s } = play
  stage.run(100)
  prepare(play)
  s.get(3)!.say('s2', { type: 'REQUEST', epoch: epoch(5, 1), stamp: 3 })
  t.same(stage.lines(['REPLY', 'STALE']), [], 'neither answered nor refused')
  sayInstall(play)
  t.same(stage.lines(['INSTALLED', 'REPLY']), ['s2 → s3 REPLY 5.1', 's2 → s1 INSTALLED 5.1'])
  t.end()
})

t.test('the turn and the log of a lower epoch are answered STALE', (t) => {
  const play = installed(t)
  const { stage, s } = play
  s.get(3)!.say('s2', { type: 'REQUEST', epoch: epoch(4, 3), stamp: 3 })
  const body = { previous: placeOf([]), batches: logOf([epoch(4, 3)]), commit: 1 }
  s.get(3)!.say('s2', { type: 'REPLICATE', epoch: epoch(4, 3), ...body })
  t.same(stage.lines(['STALE', 'REPLY', 'ACK']), ['s2 → s3 STALE 4.3', 's2 → s3 STALE 4.3'])
  t.end()
})

t.test('a replica sends nothing of the old view after its promise', (t) => {
  const { stage, s } = installed(t)
  s.get(3)!.say('s2', { type: 'PREPARE', epoch: epoch(6, 3), incarnations: [] })
  const mark = stage.said.length
  s.get(1)!.say('s2', { type: 'REQUEST', epoch: epoch(5, 1), stamp: 9 })
  const body = { previous: placeOf([]), batches: logOf([epoch(5, 1)]), commit: 0 }
  s.get(1)!.say('s2', { type: 'REPLICATE', epoch: epoch(5, 1), ...body })
  t.same(stage.lines(['REPLY', 'ACK'], mark), [])
  t.equal(stage.disk('s2').last.index, 0)
  t.end()
})

t.test('a healthy view refuses ASK, unless it grows; nothing is written for it', (t) => {
  const play = playing(2, 3)
  const { stage, s } = play
  stage.run(100)
  install(play, [1, 2])
  s.get(1)!.installed = s.get(1)!.promised = epoch(5, 1)
  s.get(1)!.heartbeat = { status: 'normal', active: true }
  s.get(1)!.heartbeat = { ...s.get(1)!.heartbeat, reaches: [1, 2] }
  stage.run(30)
  s.get(3)!.say('s2', { type: 'ASK', epoch: epoch(6, 3), members: [2, 3] })
  s.get(3)!.say('s2', { type: 'ASK', epoch: epoch(6, 3), members: [1, 2, 3] })
  t.same(stage.lines(['CONSENT']), [
    's2 → s3 CONSENT 6.3 the view is healthy',
    's2 → s3 CONSENT 6.3 granted',
  ])
  t.same(stage.disk('s2').file!.promised, epoch(5, 1))
  t.equal(stage.store('s2').status, 'normal')
  t.end()
})

t.test('a view with a member that has restarted is not healthy: ASK is granted', (t) => {
  const { stage, s } = installed(t)
  s.get(1)!.heartbeat = { status: 'outside' }
  stage.run(30)
  s.get(3)!.say('s2', { type: 'ASK', epoch: epoch(6, 3), members: [2, 3] })
  t.same(stage.lines(['CONSENT']), ['s2 → s3 CONSENT 6.3 granted'])
  t.end()
})

t.test('the lowest of the other members asks first when one falls silent', (t) => {
  const { stage, s } = installed(t)
  stage.hold('s1', 's2')
  stage.run(900)
  s.get(3)!.heartbeat = { ...s.get(3)!.heartbeat, reaches: [2, 3] }
  t.same(stage.lines(['ASK']), [])
  stage.run(200)
  t.same(stage.lines(['ASK']), ['s2 → s3 ASK 6.2 [2 3]'])
  s.get(3)!.say('s2', { type: 'ASK', epoch: epoch(6, 3), members: [2, 3] })
  t.same(
    stage.lines(['CONSENT']),
    ['s2 → s3 CONSENT 6.3 proposing'],
    'and gives no way to a higher',
  )
  t.end()
})

t.test('a view in which two members do not reach each other is not healthy', (t) => {
  const { stage, s } = installed(t)
  s.get(3)!.heartbeat = { ...s.get(3)!.heartbeat, reaches: [2, 3] }
  s.get(1)!.heartbeat = { ...s.get(1)!.heartbeat, reaches: [1, 2] }
  stage.run(1_000)
  t.same(stage.lines(['ASK']), ['s2 → s1 ASK 6.2 [1 2]'], 'the lower of two pairs')
  t.end()
})

t.test('catch-up raises promised to what the source has promised, and leaves logView', (t) => {
  const { stage, s } = playing(2, 3)
  const source = s.get(1)!
  const log = logOf([epoch(4, 1), epoch(4, 1), epoch(4, 1)])
  source.installed = epoch(4, 1)
  source.promised = epoch(9, 3)
  source.heartbeat = { status: 'normal', active: true, last: 1_500, committed: 1_500 }
  const { id, committedOnly } = stage.untilSent('s2', 's1', 'PULL')
  t.ok(committedOnly)
  const pulled = { common: placeOf([]), batches: log, last: 1_500, commit: 1_500 }
  source.say('s2', { type: 'PULLED', id, ...pulled })
  const { promised, view } = stage.disk('s2').file!
  t.same(promised, epoch(9, 3), 'not 4.1, the installed one')
  t.same(view.epoch, EPOCH_ZERO)
  t.equal(stage.disk('s2').last.index, 3)
  s.get(3)!.say('s2', { type: 'PREPARE', epoch: epoch(8, 3), incarnations: [] })
  t.same(stage.lines(['STALE', 'PROMISE']), ['s2 → s3 STALE 8.3'])
  t.end()
})

t.test('P9: a learner promises, and its promise does not count', (t) => {
  const { stage, s } = playing(1, 3)
  s.get(2)!.incarnation = { counter: 2, nonce: 'new' }
  s.get(2)!.heartbeat = { status: 'learner' }
  const { epoch: e } = stage.untilSent('s1', 's3', 'ASK')
  s.get(2)!.consent('s1', e)
  s.get(3)!.consent('s1', e)
  s.get(2)!.promise('s1', e, { learner: true })
  stage.run(600)
  t.equal(stage.sent('INSTALL').length, 0, 'its own promise and a learner: one of three')
  t.end()
})

t.test('P9: a learner makes up the members, never the majority', (t) => {
  const { stage, s } = playing(1, 5)
  stage.crash('s4', 's5')
  s.get(2)!.heartbeat = { status: 'learner' }
  const { epoch: e } = stage.untilSent('s1', 's2', 'ASK')
  s.get(2)!.consent('s1', e)
  s.get(3)!.consent('s1', e)
  s.get(2)!.promise('s1', e, { learner: true })
  s.get(3)!.promise('s1', e)
  t.same(stage.lines(['PREPARE']), [
    `s1 → s2 PREPARE ${e.counter}.1`,
    `s1 → s3 PREPARE ${e.counter}.1`,
  ])
  t.same(stage.lines(['INSTALL']), [], 'three promised, two of them count')
  t.end()
})

t.test('P9: a learner serves no pulls', (t) => {
  const { stage, s } = playing(2, 3)
  stage.run(100)
  const pull = { type: 'PULL', id: 1, committedOnly: true, places: [placeOf([])] } as const
  s.get(1)!.say('s2', pull)
  t.same(stage.lines(['PULLED']), ['s2 → s1 PULLED'], 'a voter does')
  s.get(1)!.say('s2', { ...pull, committedOnly: false })
  t.equal(stage.sent('PULLED').length, 1, 'outside a view only of what is committed')
  stage.crash('s2')
  stage.disk('s2').lose()
  stage.start('s2')
  stage.run(100)
  s.get(1)!.say('s2', pull)
  t.equal(stage.sent('PULLED').length, 1)
  t.end()
})

t.test('P9: a learner becomes a member of a view that rests on a majority without it', (t) => {
  const { stage, s } = playing(1, 3)
  s.get(2)!.incarnation = { counter: 2, nonce: 'new' }
  s.get(2)!.heartbeat = { status: 'learner' }
  const { epoch: e } = stage.untilSent('s1', 's3', 'ASK')
  s.get(2)!.consent('s1', e)
  s.get(3)!.consent('s1', e)
  s.get(2)!.promise('s1', e, { learner: true })
  s.get(3)!.promise('s1', e)
  const [told] = stage.sent('INSTALL')
  t.same(told?.message.members, [
    { ...s.get(3)!.member, slot: 1 },
    s.get(2)!.member,
    s.get(3)!.member,
  ])
  t.end()
})

t.test('P9: a promise counts only if none in hand records a newer incarnation of its slot', (t) => {
  const { stage, s } = playing(1, 5)
  stage.crash('s5')
  const { epoch: e } = stage.untilSent('s1', 's3', 'ASK')
  for (const slot of [2, 3, 4]) s.get(slot)!.consent('s1', e)
  const newer = { slot: 2, incarnation: { counter: 2, nonce: 'new' } }
  s.get(2)!.promise('s1', e)
  s.get(3)!.promise('s1', e, { incarnations: [newer] })
  s.get(4)!.promise('s1', e)
  t.match(stage.lines(['INSTALL']), [/s1 → s3 INSTALL .* \[1 3 4\]/, /s1 → s4 INSTALL/])
  t.end()
})

t.test('a replica that hears of a newer incarnation of its slot stops being a voter', (t) => {
  const { stage, s } = playing(2, 3)
  stage.run(100)
  const incarnations = [{ slot: 2, incarnation: { counter: 2, nonce: 'new' } }]
  s.get(1)!.say('s2', { type: 'PREPARE', epoch: epoch(5, 1), incarnations })
  t.same(stage.lines(['PROMISE']), [])
  t.equal(stage.store('s2').status, 'learner')
  t.end()
})
