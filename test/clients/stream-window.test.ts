// The window of one stream, without sockets: order, resends, and whether a send that is given up is
// certainly not stored.

import t from 'tap'
import { StreamWindow } from '../../clients/stream-window.js'
import type { Letter } from '../../clients/stream-window.js'
import { ERRORS } from '../../protocol/errors.js'
import type { ErrorName } from '../../protocol/errors.js'

const refusal = (name: ErrorName, retryAfter: number | null = null) => {
  const { code, text, definite } = ERRORS[name]
  return { code, text, definite, retryAfter }
}

/** A window with an open stream and `count` unwritten letters. */
function filled(count: number, limit = 256): [StreamWindow<string>, Letter<string>[]] {
  const window = new StreamWindow<string>()
  window.setLimit(limit)
  window.streamOpened()
  const letters = Array.from({ length: count }, (_, i) => window.add('alice', `t${i}`, `w${i}`))
  return [window, letters]
}

/** Writes every letter that may be written; request ids count up from `from`. */
function takeAll(window: StreamWindow<string>, from: number): number[] {
  const seqs: number[] = []
  for (let request = from; ; request++) {
    const letter = window.take(request)
    if (!letter) return seqs
    seqs.push(letter.seq)
  }
}

t.test('nothing is written before a stream is open', (t) => {
  const window = new StreamWindow<string>()
  t.notOk(window.wantsStream, 'and none is wanted for nothing')
  window.add('alice', 'x', 'w')
  t.ok(window.wantsStream)
  t.equal(window.take(1), undefined)
  window.streamOpened()
  t.match(window.take(1), { seq: 1 })
  t.end()
})

t.test('letters get their seqs at the first write, in order, up to the limit', (t) => {
  const [window] = filled(5, 3)
  t.strictSame(takeAll(window, 1), [1, 2, 3])
  t.match(window.receipt(1), { seq: 1 })
  t.strictSame(takeAll(window, 10), [4])
  t.end()
})

t.test(
  'every unanswered letter is written again after a lost connection, from the lowest seq',
  (t) => {
    const [window] = filled(5, 4)
    takeAll(window, 1)
    window.receipt(1)
    window.receipt(2)
    window.disconnected()
    t.strictSame(takeAll(window, 10), [3, 4, 5])
    t.equal(window.receipt(3), undefined, 'an answer over the old connection says nothing')
    t.match(window.receipt(10), { seq: 3 })
    t.end()
  },
)

t.test('OVERLOADED and the OUT_OF_ORDER errors behind it cause one rewind', (t) => {
  const [window] = filled(4)
  takeAll(window, 1)
  window.receipt(1)
  t.match(window.error(2, refusal('OVERLOADED', 40)), { kind: 'resend', afterMs: 40 })
  t.match(window.error(3, refusal('OUT_OF_ORDER')), { kind: 'ignore' })
  t.strictSame(takeAll(window, 10), [2, 3, 4])
  t.match(window.error(4, refusal('OUT_OF_ORDER')), { kind: 'ignore' }, 'an answer to an old try')
  t.strictSame(takeAll(window, 20), [])
  t.end()
})

t.test('a refusal by execution uses up the seq', (t) => {
  const [window] = filled(3)
  takeAll(window, 1)
  const verdict = window.error(2, refusal('NO_SUCH_USER'))
  t.match(verdict, { kind: 'refused', letter: { seq: 2 } })
  window.disconnected()
  t.strictSame(takeAll(window, 10), [1, 3])
  t.end()
})

t.test('a letter given up before its first write is certainly not stored, and uses no seq', (t) => {
  const [window, letters] = filled(3, 1)
  takeAll(window, 1)
  t.equal(window.giveUp(letters[1]!), true)
  window.receipt(1)
  t.match(window.take(2), { seq: 2, text: 't2' })
  t.end()
})

t.test('a letter given up while a try is open may be stored, and keeps its seq', (t) => {
  const [window, letters] = filled(2)
  takeAll(window, 1)
  t.equal(window.giveUp(letters[0]!), false)
  window.disconnected()
  t.strictSame(takeAll(window, 10), [1, 2])
  t.match(window.receipt(10), { seq: 1, waiting: null })
  t.end()
})

t.test('a try lost with its connection counts as open, even if later ones are refused', (t) => {
  const [window, letters] = filled(1)
  takeAll(window, 1)
  window.disconnected()
  takeAll(window, 2)
  window.error(2, refusal('NOT_READY'))
  t.equal(window.giveUp(letters[0]!), false)
  t.end()
})

t.test('UNKNOWN_OUTCOME and OUT_OF_ORDER are not refusals before the order', (t) => {
  for (const name of ['UNKNOWN_OUTCOME', 'OUT_OF_ORDER'] as const) {
    const [window, letters] = filled(1)
    takeAll(window, 1)
    window.error(1, refusal(name))
    t.equal(window.giveUp(letters[0]!), false, name)
  }
  t.end()
})

t.test(
  'a letter refused before the order at every try is certainly not stored, and ends its stream',
  (t) => {
    const [window, letters] = filled(4)
    takeAll(window, 1)
    window.error(2, refusal('OVERLOADED'))
    t.equal(window.giveUp(letters[1]!), true)
    t.notOk(window.wantsStream, 'the one before it is still unanswered')
    t.strictSame(takeAll(window, 10), [1], 'which alone is written again')
    t.match(
      window.error(3, refusal('OUT_OF_ORDER')),
      { kind: 'ignore' },
      'of the stream that was left',
    )
    window.receipt(10)
    t.ok(window.wantsStream)
    window.streamOpened()
    t.strictSame(takeAll(window, 20), [1, 2])
    t.match(window.receipt(20), { text: 't2' })
    t.match(window.receipt(21), { text: 't3' })
    t.end()
  },
)

t.test('MAILBOX_FULL rejects the letter, and later letters go into another stream', (t) => {
  const [window] = filled(5)
  takeAll(window, 1)
  window.receipt(1)
  t.match(window.error(2, refusal('MAILBOX_FULL')), { kind: 'refused', letter: { text: 't1' } })
  t.match(window.error(3, refusal('OUT_OF_ORDER')), { kind: 'ignore' })
  t.match(window.error(4, refusal('MAILBOX_FULL')), { kind: 'refused', letter: { text: 't3' } })
  t.ok(window.wantsStream)
  window.streamOpened()
  t.match(window.error(5, refusal('MAILBOX_FULL')), { kind: 'ignore' }, 'it is written again')
  t.strictSame(takeAll(window, 10), [1, 2])
  t.match(window.receipt(10), { text: 't2' })
  t.match(window.receipt(11), { text: 't4' })
  t.end()
})

t.test('MAILBOX_FULL does not settle a letter that may be stored already', (t) => {
  const [window, letters] = filled(1)
  takeAll(window, 1)
  window.disconnected()
  takeAll(window, 2)
  t.match(window.error(2, refusal('MAILBOX_FULL')), { kind: 'resend' })
  takeAll(window, 3)
  t.match(window.receipt(3), letters[0])
  t.end()
})

/** The end of a stream; `definite`: the service knows that the seq was never executed. */
const closed = (definite: boolean) => ({ ...refusal('STREAM_CLOSED'), definite })

t.test('what an ended stream did not take goes into another one, in order', (t) => {
  const [window] = filled(5, 4)
  takeAll(window, 1)
  window.receipt(1)
  t.match(window.error(3, closed(true)), { kind: 'moved' })
  t.equal(window.take(9), undefined, 'no further letter goes into the stream')
  t.notOk(window.wantsStream, 'two letters are unanswered')
  t.match(window.error(2, closed(false)), { kind: 'moved' }, 'its only try changed nothing')
  t.match(window.error(4, closed(false)), { kind: 'moved' })
  t.ok(window.wantsStream)
  window.streamOpened()
  const texts = Array.from({ length: 4 }, (_, i) => window.take(10 + i)?.text)
  t.strictSame(texts, ['t1', 't2', 't3', 't4'])
  t.match(window.take(14), undefined)
  t.match(window.receipt(10), { seq: 1, text: 't1' })
  t.end()
})

t.test('a letter with a lost try in an ended stream may be stored, and is not sent again', (t) => {
  const [window] = filled(3, 2)
  takeAll(window, 1)
  window.disconnected()
  t.strictSame(takeAll(window, 10), [1, 2])
  t.match(window.error(10, closed(false)), { kind: 'refused', letter: { text: 't0' } })
  t.match(window.error(11, closed(true)), { kind: 'moved' }, 'of this one the service knows')
  window.streamOpened()
  t.match(window.take(20), { seq: 1, text: 't1' })
  t.match(window.take(21), { seq: 2, text: 't2' })
  t.end()
})

t.test('a letter is settled by the last of its tries that the service answers', (t) => {
  const [window] = filled(1)
  takeAll(window, 1)
  window.error(1, refusal('OUT_OF_ORDER'))
  takeAll(window, 2)
  window.disconnected()
  takeAll(window, 3)
  t.match(window.error(3, closed(false)), { kind: 'refused', letter: { text: 't0' } })
  t.equal(window.size, 0)
  t.end()
})

t.test('a letter that was given up is forgotten with its stream', (t) => {
  const [window, letters] = filled(2)
  takeAll(window, 1)
  t.equal(window.giveUp(letters[0]!), false)
  t.match(window.error(1, closed(true)), { kind: 'moved' })
  t.match(window.error(2, closed(true)), { kind: 'moved' })
  window.streamOpened()
  t.match(window.take(3), { text: 't1' })
  t.equal(window.take(4), undefined)
  t.end()
})

t.test('a stream is left only while no letter waits', (t) => {
  const [window, letters] = filled(1)
  t.equal(window.leave(), false, 'one is not written yet')
  takeAll(window, 1)
  t.equal(window.leave(), false, 'one is unanswered')
  window.giveUp(letters[0]!)
  t.equal(window.leave(), true, 'nobody waits for it any more')
  t.equal(window.leave(), false, 'it is left already')
  window.add('alice', 'next', 'w')
  t.equal(window.take(2), undefined)
  t.end()
})

t.test('drop() gives back every letter, in order', (t) => {
  const [window, letters] = filled(3, 2)
  takeAll(window, 1)
  t.strictSame(window.drop(), letters)
  t.equal(window.size, 0)
  t.end()
})
