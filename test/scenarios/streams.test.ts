// Streams of three processing replicas: one user cannot fill their memory, idle streams end by an
// order, and a client that comes back is told so.

import t from 'tap'
import type { Limits } from '../../protocol/machine/config.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { ANSWER_BYTES, KEPT_ANSWERS } from '../../protocol/state/answer-ring.js'
import { isError, Ring } from './ring.js'

const tokenOf = (number: number): Uint8Array => {
  const token = Buffer.alloc(16)
  token.writeUInt32BE(number)
  return token
}

class Streams extends Ring {
  #tokens = 0

  constructor(limits: Partial<Limits>) {
    super([1, 2, 3], limits)
    this.begin()
  }

  open(token = ++this.#tokens): Message {
    return this.client.ask({ type: 'OPEN_STREAM', token: tokenOf(token) })
  }

  opened(token?: number): Uint8Array {
    const answer = this.open(token)
    if (answer.type !== 'STREAM_OPENED') throw new Error(`no stream: ${JSON.stringify(answer)}`)
    return answer.stream
  }

  in(stream: Uint8Array, seq: number, text = 'olá'): Message {
    return this.client.ask({ type: 'SEND', stream, seq, to: 'alice', text })
  }

  /** What each replica says of itself. */
  each(name: 'troca_streams' | 'troca_stream_answer_bytes' | 'troca_overlay_values'): number[] {
    return this.replicas.map((replica) => replica.metrics()[name])
  }
}

t.test('a user that opens one stream after another fills no replica', (t) => {
  const most = 8
  const ring = new Streams({ openStreams: most })
  const first = ring.opened()
  const rounds = 40
  for (let round = 0; round < rounds; round++) {
    const stream = ring.opened()
    for (let seq = 1; seq <= KEPT_ANSWERS + 20; seq++)
      ring.client.send({ type: 'SEND', stream, seq, to: 'alice', text: `${seq}` })
    ring.stage.run(200)
  }
  ring.stage.run(1_000)
  t.same(ring.each('troca_streams'), [most, most, most])
  const bytes = most * KEPT_ANSWERS * ANSWER_BYTES
  t.ok(
    ring.each('troca_stream_answer_bytes').every((one) => one <= bytes),
    `at most ${bytes} bytes`,
  )
  t.same(ring.each('troca_overlay_values'), [0, 0, 0])
  t.ok(ring.messages.length >= rounds * KEPT_ANSWERS, 'all the while its sends are stored')
  t.match(ring.in(first, 1), { type: 'ERROR', text: /may be stored/, definite: false })
  t.end()
})

t.test('openings count in the rate of their user', (t) => {
  const ring = new Streams({ sendsPerSecond: 10, sendBurst: 5 })
  const answers = Array.from({ length: 12 }, () => ring.open())
  const refused = answers.filter(({ type }) => type === 'ERROR')
  t.ok(refused.length > 0)
  for (const answer of refused) t.match(answer, isError('RATE_LIMITED'))
  const [{ retryAfter }] = refused as [Message & { retryAfter: number }]
  t.ok(retryAfter > 0)
  ring.stage.run(retryAfter)
  t.match(ring.open(), { type: 'STREAM_OPENED' })
  t.end()
})

t.test('the service ends a stream that is idle for long, and says so', (t) => {
  const ring = new Streams({ streamIdleMs: 5_000 })
  const [used, idle] = [ring.opened(), ring.opened()]
  t.match(ring.in(idle, 1), { type: 'RECEIPT' })
  for (let seq = 1; seq <= 8; seq++) {
    ring.stage.run(1_000)
    t.match(ring.in(used, seq), { type: 'RECEIPT', seq })
  }
  t.same(ring.each('troca_streams'), [1, 1, 1])
  t.match(ring.in(idle, 1), { ...isError('STREAM_CLOSED'), definite: false }, 'it was stored')
  t.match(ring.in(idle, 2), isError('STREAM_CLOSED'), 'it never was')
  const ended = ring.replicas.map((one) => one.metrics().troca_idle_streams_ended_total)
  t.equal(Math.max(...ended), 2, 'the stream of the beginning too')
  ring.stage.run(8_000)
  t.same(ring.each('troca_streams'), [0, 0, 0], 'with nobody who asks for anything')
  t.end()
})

t.test('replicas that start again know the ends of streams, and open none twice', (t) => {
  const ring = new Streams({ openStreams: 2 })
  const [a, b] = [ring.opened(1), ring.opened(2)]
  t.match(ring.in(a, 1), { type: 'RECEIPT' })
  t.match(ring.in(b, 1), { type: 'RECEIPT' })
  const c = ring.opened(3)
  ring.restart()
  ring.client.ask({ type: 'LOGIN', name: 'alice', password: 'correct horse' })
  t.same(ring.each('troca_streams'), [2, 2, 2])
  t.match(ring.in(a, 2), isError('STREAM_CLOSED'))
  t.match(ring.open(3), { type: 'STREAM_OPENED', stream: c }, 'the same token, the same stream')
  t.match(ring.in(b, 1), { type: 'RECEIPT', seq: 1 }, 'an open stream keeps its answers')
  const again = ring.open(1)
  t.match(again, { type: 'STREAM_OPENED' })
  t.notSame((again as { stream?: Uint8Array }).stream, a)
  t.end()
})
