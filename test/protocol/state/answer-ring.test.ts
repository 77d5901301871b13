// The rings of kept answers and of ended streams, against plain maps.

import t from 'tap'
import { sha256 } from '../../../protocol/bytes.js'
import { ANSWER_BYTES, AnswerRing, KEPT_ANSWERS } from '../../../protocol/state/answer-ring.js'
import { EndedStreams, KEPT_ENDS } from '../../../protocol/state/ended-streams.js'
import type { Answered } from '../../../protocol/state/ledger-view.js'
import { Random } from '../../simulator/random.js'

const answerTo = (seq: number, salt: number): Answered => ({
  digest: sha256(`${seq} ${salt}`),
  code: (seq * salt) % 65_536,
  index: seq * 1_000_003 + salt,
  time: 1_790_000_000_000 + seq,
})

const plain = (answered: Answered | undefined): object | undefined =>
  answered && { ...answered, digest: Buffer.from(answered.digest).toString('hex') }

const random = new Random(1, 'rings')
const ROUNDS = 60

t.test('a ring keeps the last answers, and no others', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const [length, salt] = [random.below(3 * KEPT_ANSWERS), random.between(1, 1_000)]
    const ring = new AnswerRing()
    for (let seq = 1; seq <= length; seq++) ring.put(seq, answerTo(seq, salt), seq + 1)
    const next = length + 1
    const seqs = Array.from({ length: length + 4 }, (_, i) => i - 1)
    const isKept = (seq: number): boolean => seq >= 1 && seq < next && seq >= next - KEPT_ANSWERS
    t.same(
      seqs.map((seq) => plain(ring.get(seq, next))),
      seqs.map((seq) => (isKept(seq) ? plain(answerTo(seq, salt)) : undefined)),
      `${length} answers`,
    )
    t.same([...ring.seqs(next)], seqs.filter(isKept))
  }
})

t.test('answers come back from a snapshot in any order, and the ring goes on', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const [length, salt] = [random.between(1, 3 * KEPT_ANSWERS), random.between(1, 1_000)]
    const next = length + 1
    const first = Math.max(1, next - KEPT_ANSWERS)
    const seqs = Array.from({ length: next - first }, (_, i) => first + i)
    const ring = new AnswerRing()
    for (const seq of random.shuffled(seqs)) ring.put(seq, answerTo(seq, salt), next)
    t.same(
      seqs.map((seq) => plain(ring.get(seq, next))),
      seqs.map((seq) => plain(answerTo(seq, salt))),
      `${length} answers`,
    )
    ring.put(next, answerTo(next, salt), next + 1)
    t.same(plain(ring.get(next, next + 1)), plain(answerTo(next, salt)))
    t.same(ring.get(length, next + 1)?.index, answerTo(length, salt).index)
  }
})

t.test('an answer takes tens of bytes, and a short stream few of them', async (t) => {
  const ring = new AnswerRing()
  t.equal(ring.bytes, 0)
  ring.put(1, answerTo(1, 1), 2)
  t.equal(ring.bytes, 4 * ANSWER_BYTES)
  for (let seq = 2; seq <= 1_000; seq++) ring.put(seq, answerTo(seq, 1), seq + 1)
  t.equal(ring.bytes, KEPT_ANSWERS * ANSWER_BYTES)
  t.equal(ANSWER_BYTES, 50)
})

const idOfNumber = (number: number): string =>
  String.fromCharCode(...Array.from({ length: 16 }, (_, i) => (number * (i + 7)) % 256))

t.test('the last ended streams are remembered, also by a ring that is loaded', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const nexts = Array.from({ length: random.below(4 * KEPT_ENDS) }, () => random.between(1, 1e6))
    const loadedAt = random.below(4 * KEPT_ENDS)
    let ended = new EndedStreams()
    for (const [i, next] of nexts.entries()) {
      if (i === loadedAt) {
        const known = [...ended]
        ended = new EndedStreams(ended.count - known.length)
        for (const one of known) ended.add(...one)
      }
      ended.add(idOfNumber(i + 1), next)
    }
    const isKept = (number: number): boolean => number > nexts.length - KEPT_ENDS
    t.same(
      nexts.map((_, i) => ended.find(idOfNumber(i + 1))),
      nexts.map((next, i) => (isKept(i + 1) ? { number: i + 1, next } : undefined)),
      `${nexts.length} ends`,
    )
  }
})
