// Active replication: every processing replica executes every command in the coordinator's order
// (Schneider 1990), and the persistence log is the commit point. p1, p2 and p3 are real, on one
// real store s1, whose disk alone decides what is committed; the test plays the client c1.

import t from 'tap'
import { KIND } from '../../protocol/entries/entry.js'
import type { MessageName } from '../../protocol/messages/catalogue.js'
import { LIMITS } from '../../protocol/machine/config.js'
import { PASSWORD, PlayedWriter } from './played.js'
import { Ring, isError } from './ring.js'

const COURSE: MessageName[] = ['FORWARD', 'ORDER', 'VOTE', 'APPEND', 'APPENDED', 'SEND', 'RECEIPT']

t.test('a command goes from SEND by FORWARD, ORDER, VOTE and APPEND to RECEIPT', (t) => {
  const ring = new Ring().begin('p1')
  const lead = ring.coordinator
  t.not(lead, 'p1', 'the client is at a follower')
  const mark = ring.stage.said.length
  t.match(ring.ask(1, 'olá'), { type: 'RECEIPT', seq: 1, index: ring.log.length })
  t.same([lead, ...ring.others], ['p3', 'p1', 'p2'])
  t.same(ring.stage.lines(COURSE, mark), [
    'c1 → p1 SEND',
    'p1 → p3 FORWARD',
    'p3 → p1 ORDER 1/3 attempt 1',
    'p3 → p2 ORDER 1/3 attempt 1',
    'p1 → p3 VOTE 1/3 attempt 1',
    'p2 → p3 VOTE 1/3 attempt 1',
    'p3 → s1 APPEND 1/3',
    's1 → p3 APPENDED 3',
    'p1 → c1 RECEIPT',
  ])
  t.end()
})

t.test('k is gapless within the term, and every command of an order one entry (C7)', (t) => {
  const ring = new Ring().begin()
  const requests = Array.from({ length: 40 }, (_, i) => ring.send(i + 1, `text ${i + 1}`))
  ring.stage.until('all answered', () => requests.every((r) => ring.client.answer(r)))
  const orders = ring.log.filter(({ meta }) => meta.kind !== KIND.term)
  let [k, place] = [1, 0]
  for (const entry of orders) {
    if (entry.place === 0 && entry !== orders[0]) [k, place] = [k + 1, 0]
    t.same([entry.k, entry.place], [k, place++])
  }
  t.ok(
    orders.some((entry) => entry.place > 0),
    'what came meanwhile went in one order',
  )
  t.equal(ring.messages.length, 40)
  t.end()
})

t.test('C8: answers come in the order of the log', (t) => {
  const ring = new Ring().begin()
  const mark = ring.stage.said.length
  const requests = Array.from({ length: 20 }, (_, i) => ring.send(i + 1, `text ${i + 1}`))
  ring.stage.until('all answered', () => requests.every((r) => ring.client.answer(r)))
  const receipts = ring.stage.sent('RECEIPT', mark).map(({ message }) => message)
  t.same(
    receipts.map(({ seq }) => seq),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  t.ok(receipts.every(({ index }, i) => i === 0 || index > receipts[i - 1]!.index))
  t.end()
})

t.test('C4: no answer, and nothing in any feed, before it is durable on a majority', (t) => {
  const ring = new Ring().begin()
  ring.stickDisk(400)
  const mark = ring.stage.said.length
  const request = ring.send(1, 'olá')
  ring.stage.run(300)
  t.match(ring.stage.lines(['VOTE'], mark), [/VOTE/, /VOTE/], 'everybody has executed it')
  t.match(ring.stage.lines(['APPEND'], mark), [/APPEND 1\/3/])
  t.same(ring.stage.lines(['APPENDED', 'RECEIPT', 'BATCHES'], mark), [])
  ring.stage.until('answered', () => ring.client.answer(request) !== undefined)
  t.match(ring.client.answer(request), { type: 'RECEIPT', seq: 1 })
  t.end()
})

t.test('a majority of the live ring decides: a slow vote is not waited for', (t) => {
  const ring = new Ring().begin()
  const [slow, quick] = ring.others
  ring.stage.hold(slow!, ring.coordinator)
  const mark = ring.stage.said.length
  t.match(ring.ask(1, 'olá'), { type: 'RECEIPT' })
  t.match(ring.stage.lines(['VOTE', 'APPEND'], mark).join(), `${quick} → ${ring.coordinator} VOTE`)
  t.end()
})

t.test('a vote of three is no majority; a replica that is silent for too long leaves L', (t) => {
  const ring = new Ring().begin()
  const [a, b] = ring.others
  const lead = ring.coordinator
  ring.stage.hold(a!, lead)
  ring.stage.hold(b!, lead)
  const mark = ring.stage.said.length
  const request = ring.send(1, 'olá')
  ring.stage.run(900)
  t.same(ring.stage.lines(['APPEND'], mark), [])
  ring.stage.until('answered', () => ring.client.answer(request) !== undefined)
  t.equal(ring.replica(lead).metrics().troca_orders_one_of_one_total, 1, 'and that is counted')
  t.match(ring.ask(2, 'olá'), { type: 'RECEIPT' })
  t.end()
})

t.test('a replica that comes back does not depose the coordinator', (t) => {
  const ring = new Ring().begin()
  const [gone] = ring.others
  const mark = ring.stage.said.length
  ring.stage.crash(gone!)
  ring.stage.run(2_000)
  ring.stage.start(gone!)
  ring.stage.run(3_000)
  const claimed = ring.stage.sent('CLAIMED', mark).map(({ message }) => message.outcome)
  t.ok(
    claimed.every((outcome) => outcome === 'leased' || outcome === 'lost'),
    'it may ask, before it has heard of any',
  )
  t.equal(ring.replica(ring.coordinator).term, 1)
  t.equal(ring.replica(gone!).coordinatorSlot, Number(ring.coordinator[1]))
  t.end()
})

t.test('the next coordinator after a death begins with a term of its own, k at 1', (t) => {
  const ring = new Ring().begin('p1')
  const lead = ring.coordinator
  t.not(lead, 'p1')
  t.match(ring.ask(1, 'before'), { type: 'RECEIPT' })
  ring.stage.crash(lead)
  ring.stage.until('another', () => ring.replicas.some((p) => p.term === 2))
  ring.stage.until('known', () => ring.replica('p1').coordinatorSlot > 0)
  t.match(ring.ask(2, 'after'), { type: 'RECEIPT' })
  const last = ring.messages.at(-1)!
  t.same([last.term, last.k, ring.messages.length], [2, 1, 2])
  t.end()
})

t.test('an entrant gets all uncommitted orders, and votes on them', (t) => {
  const ring = new Ring().begin()
  const [entrant] = ring.others
  const lead = ring.coordinator
  ring.stage.crash(entrant!)
  ring.stage.run(100)
  ring.stickDisk(1_500)
  const request = ring.send(1, 'olá')
  ring.stage.run(100)
  const mark = ring.stage.said.length
  ring.stage.start(entrant!)
  ring.stage.run(900)
  t.match(ring.stage.lines(['ORDER'], mark), [
    new RegExp(`${lead} → ${entrant} ORDER 1/3 attempt 1`),
  ])
  t.match(ring.stage.lines(['VOTE'], mark), [new RegExp(`${entrant} → ${lead} VOTE 1/3 attempt 1`)])
  t.equal(ring.client.answer(request), undefined)
  ring.stage.until('answered', () => ring.client.answer(request) !== undefined)
  t.end()
})

// ---- fencing ----------------------------------------------------------------------------------

t.test('C1: a writer whose term is over is FENCED, and sends nothing more in it', (t) => {
  const ring = new Ring([3])
  const rival = new PlayedWriter(ring.stage, 1)
  ring.begin('p3')
  t.equal(ring.replica('p3').term, 1)
  ring.stage.hold('p3', 's1')
  const request = ring.send(1, 'too late')
  ring.stage.run(1_200) // no frame of the owner for so long: its lease is over
  t.equal(ring.stage.sent('APPEND').at(-1)?.message.k, 3, 'on its way, and held up')
  const mark = ring.stage.said.length
  ring.stickDisk(100)
  rival.term = 1
  rival.say('s1', { type: 'CLAIM', expected: 1, nonce: 'rival', weight: 1 })
  ring.stage.run(20)
  ring.stage.release('p3', 's1')
  const fenced = ring.stage.untilSent('s1', 'p3', 'FENCED')
  t.match(fenced, { term: 2 })
  const [claimed, answer] = ring.stage.lines(['CLAIMED', 'FENCED'], mark)
  t.same([claimed, answer], ['s1 → p1 CLAIMED', 's1 → p3 FENCED'], 'once that TERM is committed')
  ring.stage.run(5)
  t.equal(ring.replica('p3').term, 0)
  t.match(ring.client.answer(request), isError('UNKNOWN_OUTCOME'))
  ring.stage.until('its next term', () => ring.replica('p3').term > 0)
  t.match(ring.ask(1, 'too late'), { type: 'RECEIPT' })
  t.ok(ring.stage.sent('ORDER', mark).every(({ message }) => message.term > 2))
  t.same(
    ring.messages.map(({ term, k }) => [term, k]),
    [[3, 1]],
    'stored once',
  )
  t.end()
})

// ---- streams ----------------------------------------------------------------------------------

t.test('C5: a repeated request gets the original answer, and no second message', (t) => {
  const ring = new Ring().begin()
  const first = ring.ask(1, 'olá')
  const again = ring.ask(1, 'olá')
  t.match(first, { type: 'RECEIPT', seq: 1 })
  t.same({ ...again, request: 0 }, { ...first, request: 0 })
  t.equal(ring.messages.length, 1)
  t.end()
})

t.test('C5: a request repeated while the original is under way is stored once', (t) => {
  const ring = new Ring().begin()
  ring.stickDisk(300)
  const requests = [ring.send(1, 'olá'), ring.send(1, 'olá')]
  ring.stage.until('both answered', () => requests.every((r) => ring.client.answer(r)))
  const [one, two] = requests.map((r) => ring.client.answer(r))
  t.match(one, { type: 'RECEIPT', seq: 1 })
  t.same({ ...two, request: 0 }, { ...one, request: 0 })
  t.equal(ring.messages.length, 1)
  t.end()
})

t.test(
  'C5: a request repeated elsewhere after the coordinator died gets the original answer',
  (t) => {
    const ring = new Ring().begin('p3')
    ring.stage.hold('p3', 'p1') // no ORDER: p1 knows of it by the feed alone
    ring.stickDisk(300)
    const request = ring.send(1, 'olá')
    ring.stage.run(100)
    ring.stage.crash('p3')
    ring.stage.until('another', () => ring.replicas.some((p) => p.term === 2))
    t.equal(ring.client.answer(request), undefined)
    ring.stage.run(1_200)
    ring.client.connect('p1')
    ring.client.ask({ type: 'LOGIN', name: 'alice', password: PASSWORD })
    const [stored] = ring.messages
    t.match(ring.ask(1, 'olá'), { type: 'RECEIPT', seq: 1, index: stored!.index })
    t.equal(stored!.term, 1)
    t.equal(ring.messages.length, 1)
    t.end()
  },
)

t.test('CONFLICT: another text under a known seq; the first one stands', (t) => {
  const ring = new Ring().begin()
  ring.ask(1, 'olá')
  t.match(ring.ask(1, 'adeus'), isError('CONFLICT'))
  t.equal(ring.messages.length, 1)
  t.match(ring.ask(2, 'adeus'), { type: 'RECEIPT', seq: 2 })
  t.end()
})

t.test('OUT_OF_ORDER names the seq that is expected, and consumes nothing', (t) => {
  const ring = new Ring().begin()
  t.match(ring.ask(3, 'third'), isError('OUT_OF_ORDER', 1))
  t.match(ring.ask(1, 'first'), { type: 'RECEIPT', seq: 1 })
  t.match(ring.ask(3, 'third'), isError('OUT_OF_ORDER', 2))
  t.match(ring.ask(2, 'second'), { type: 'RECEIPT', seq: 2 })
  t.match(ring.ask(3, 'third'), { type: 'RECEIPT', seq: 3 })
  t.end()
})

t.test('a refusal by execution consumes its seq, and stays the answer to it', (t) => {
  const ring = new Ring().begin()
  t.match(ring.ask(1, 'olá', 'bob'), isError('NO_SUCH_USER'))
  t.match(ring.ask(2, 'olá'), { type: 'RECEIPT', seq: 2 })
  const token = new Uint8Array(16)
  const other = {
    type: 'REGISTER',
    name: 'bob',
    password: PASSWORD,
    token,
    keys: null,
    invitation: null,
  } as const
  t.match(ring.client.ask(other), { type: 'SESSION', name: 'bob' })
  const back = ring.client.ask({ type: 'LOGIN', name: 'alice', password: PASSWORD })
  t.match(back, { type: 'SESSION', name: 'alice' })
  t.match(ring.ask(1, 'olá', 'bob'), isError('NO_SUCH_USER'), 'though bob is there by now')
  t.match(ring.ask(3, 'olá', 'bob'), { type: 'RECEIPT', seq: 3 })
  t.end()
})

t.test('NO_QUORUM is said before ORDER, is definite, and consumes nothing', (t) => {
  const ring = new Ring().begin()
  ring.stage.crash('s1')
  ring.stage.run(100)
  const mark = ring.stage.said.length
  t.match(ring.ask(1, 'olá'), isError('NO_QUORUM'))
  t.same(ring.stage.lines(['FORWARD', 'ORDER'], mark), [])
  ring.stage.start('s1')
  ring.stage.until('serving', () => ring.replicas.some((p) => p.term > 0))
  ring.stage.run(1_000)
  t.match(ring.ask(1, 'olá'), { type: 'RECEIPT', seq: 1 })
  t.equal(ring.messages.length, 1)
  t.end()
})

// ---- votes ------------------------------------------------------------------------------------

t.test('a wrong vote is outvoted, and its replica builds its state again', (t) => {
  const ring = new Ring().begin()
  const [sick] = ring.others
  ring.wrong.set(Number(sick![1]), () => ', wrongly')
  const mark = ring.stage.said.length
  t.match(ring.ask(1, 'olá'), { type: 'RECEIPT' })
  ring.stage.run(200)
  t.ok(ring.stage.logged(`${sick} outvoted`))
  t.match(ring.stage.lines(['FEED'], mark), [`${sick} → s1 FEED`], 'from the log')
  t.notMatch(Buffer.from(ring.messages[0]!.body).toString(), 'wrongly')
  ring.wrong.clear()
  t.match(ring.ask(2, 'olá'), { type: 'RECEIPT' })
  ring.stage.run(200)
  t.equal(ring.replica(sick!).appliedIndex, ring.log.length)
  t.equal(new Set(hashes(ring, mark, 4)).size, 1, 'and it votes as the others again')
  t.end()
})

/** The hashes of all VOTEs on order k since `mark`. */
function hashes(ring: Ring, mark: number, k: number): string[] {
  const votes = ring.stage.sent('VOTE', mark).filter(({ message }) => message.k === k)
  return votes.map(({ message }) => Buffer.from(message.hash).toString('hex'))
}

t.test('a coordinator in the minority resigns; what it ordered is stored once in the end', (t) => {
  const ring = new Ring().begin()
  const lead = ring.coordinator
  ring.wrong.set(Number(lead[1]), () => ', wrongly')
  const mark = ring.stage.said.length
  t.match(ring.ask(1, 'olá'), isError('UNKNOWN_OUTCOME'))
  t.ok(ring.stage.logged(`${lead} own-result-in-the-minority`))
  t.same(ring.stage.lines(['APPEND'], mark), [])
  ring.wrong.clear()
  ring.stage.until('a term after it', () => ring.replicas.some((p) => p.term === 2))
  ring.stage.run(500)
  t.match(ring.ask(1, 'olá'), { type: 'RECEIPT' })
  t.same(
    ring.messages.map(({ term }) => term),
    [2],
  )
  t.end()
})

t.test(
  'an order without a majority gets a new attempt, with a new seed, on states built again',
  (t) => {
    const ring = new Ring().begin()
    for (const slot of [1, 2, 3]) ring.wrong.set(slot, () => `, says p${slot}`)
    const mark = ring.stage.said.length
    const request = ring.send(1, 'olá')
    ring.stage.until('a second attempt', () =>
      ring.stage.sent('ORDER', mark).some(({ message }) => message.attempt === 2),
    )
    ring.wrong.clear()
    ring.stage.until('answered', () => ring.client.answer(request) !== undefined)
    t.match(ring.client.answer(request), { type: 'RECEIPT', seq: 1 })
    const [first, , second] = ring.stage.sent('ORDER', mark).map(({ message }) => message)
    t.same([first?.attempt, second?.attempt], [1, 2])
    t.notSame(first?.seed, second?.seed)
    t.notSame(first?.keySeed, second?.keySeed, 'nor is any nonce used twice')
    t.same(second?.commands, first?.commands)
    t.same(
      new Set(ring.stage.sent('FEED', mark).map(({ from }) => from)),
      new Set(['p1', 'p2', 'p3']),
    )
    t.end()
  },
)

t.test('the last attempt is a fixed refusal: DIVERGED, which consumes the seq', (t) => {
  const ring = new Ring().begin()
  for (const slot of [1, 2, 3]) ring.wrong.set(slot, () => `, says p${slot}`)
  const mark = ring.stage.said.length
  t.match(ring.ask(1, 'olá'), isError('DIVERGED'))
  const orders = ring.stage.sent('ORDER', mark).map(({ message }) => message)
  t.same(
    orders.map(({ attempt, diverged }) => [attempt, diverged]),
    [
      [1, false],
      [1, false],
      [2, false],
      [2, false],
      [3, true],
      [3, true],
    ],
  )
  ring.wrong.clear()
  t.match(ring.ask(1, 'olá'), isError('DIVERGED'), 'that is the answer to seq 1 from now on')
  t.match(ring.ask(2, 'olá'), { type: 'RECEIPT', seq: 2 })
  t.end()
})

/** The key seeds of the orders since `mark`: number of commands and terms of each. */
function keyEpochs(ring: Ring, mark: number): { commands: number; terms: Set<number> }[] {
  const epochs = new Map<string, { commands: number; terms: Set<number> }>()
  const seen = new Set<string>()
  for (const { message } of ring.stage.sent('ORDER', mark)) {
    const { term, k, attempt, keySeed, commands } = message
    const order = `${term}/${k}/${attempt}`
    if (seen.has(order)) continue
    seen.add(order)
    const name = Buffer.from(keySeed).toString('hex')
    const epoch = epochs.get(name) ?? { commands: 0, terms: new Set() }
    epochs.set(name, {
      commands: epoch.commands + commands.length,
      terms: epoch.terms.add(term),
    })
  }
  return [...epochs.values()]
}

for (const most of [1, 5]) {
  t.test(`a key epoch of at most ${most} commands, also where many come at once`, (t) => {
    const ring = new Ring([1, 2, 3], { ...LIMITS, keyEpochCommands: most }).begin()
    const mark = ring.stage.said.length
    const requests = Array.from({ length: 40 }, (_, i) => ring.send(i + 1, `text ${i + 1}`))
    ring.stage.until('all answered', () => requests.every((r) => ring.client.answer(r)))
    const commands = keyEpochs(ring, mark).map((epoch) => epoch.commands)
    t.ok(commands.every((count) => count <= most))
    t.equal(
      commands.reduce((sum, count) => sum + count, 0),
      40,
    )
    t.end()
  })
}

t.test('a key epoch ends in time, with its term, and with the boot of its coordinator', (t) => {
  const ring = new Ring([1, 2, 3], { ...LIMITS, keyEpochMs: 100 }).begin()
  const mark = ring.stage.said.length
  ring.ask(1, 'one')
  ring.stage.run(150)
  ring.ask(2, 'another')
  t.equal(keyEpochs(ring, mark).length, 2, 'in time')

  const steady = new Ring().begin('p1')
  const lead = steady.coordinator
  steady.ask(1, 'one')
  steady.ask(2, 'another')
  t.equal(keyEpochs(steady, 0).length, 1, 'the same for a while')
  steady.stage.crash(lead)
  steady.stage.start(lead)
  steady.stage.until('the next term', () => steady.replicas.some(({ term }) => term === 2))
  steady.stage.run(1_500)
  steady.ask(3, 'a third')
  const epochs = keyEpochs(steady, 0)
  t.equal(epochs.length, 2)
  t.ok(epochs.every(({ terms }) => terms.size === 1))
  t.end()
})
