import t from 'tap'
import { refusal } from '../../../protocol/messages/refusal.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { MAX_FOLLOWED } from '../../../protocol/schema/shared.js'
import type { LinkId } from '../../../protocol/machine/machine.js'
import type { Executor } from '../../../protocol/state/executor.js'
import type { ProcessingContext } from '../../../protocol/processing/context.js'
import { Ledger } from '../../../protocol/state/ledger.js'
import { Outbox } from '../../../protocol/machine/effects.js'
import { Receipts } from '../../../protocol/sessions/receipts.js'
import type { Session } from '../../../protocol/sessions/session.js'

const NOBODY = { origin: '', privateKeys: [], clientHeld: false, version: 1 }
const IDLE = { unanswered: 0, held: false }

/** A session of Bob, on a replica whose log is up to date. */
class Scene {
  readonly base = new Ledger()
  readonly session: Session = { link: {} as LinkId, user: 'bob', ...NOBODY, ...IDLE }
  readonly #outbox = new Outbox()
  readonly receipts: Receipts

  constructor() {
    const context = { outbox: this.#outbox } as unknown as ProcessingContext
    const executor = { base: this.base } as unknown as Executor
    this.receipts = new Receipts(context, executor, {
      reply: ({ link }, message) => this.#outbox.send(link, message),
      atTip: (_session, _request, then) => then(),
      lookUp: (_session, _user, _request, then) => then(),
      refuse: ({ link }, request, name) => this.#outbox.send(link, refusal(request, name)),
      endsWithLogin: () => {},
    })
  }

  sends(to: string, index: number, code = 0): void {
    const [stream, digest] = [new Uint8Array(16), new Uint8Array(32)]
    this.base.sent.add('bob', stream, index, { digest, code, index, time: 1_000 }, to)
  }

  /** Raises the marks in the ledger, and reports that they moved. */
  marks(user: string, delivered: number, read: number): void {
    this.base.marks.raise(user, { delivered, read })
    this.receipts.moved(new Set([user]))
  }

  follow(...indices: number[]): void {
    this.receipts.follow(this.session, 'bob', { type: 'FOLLOW_RECEIPTS', request: 1, indices })
  }

  list(limit: number, to: string | null = null): readonly unknown[] {
    this.receipts.list(this.session, 'bob', { type: 'RECEIPTS', request: 2, limit, to })
    const [answer] = this.said()
    if (answer?.type !== 'RECEIPTS_ARE') throw new Error(`answered by ${answer?.type}`)
    return answer.sends.map(({ index, state }) => [index, state])
  }

  /** Messages since the last call. */
  said(): Message[] {
    return this.#outbox.take().flatMap((effect) => (effect.type === 'send' ? [effect.message] : []))
  }

  states(): unknown[] {
    return this.said().flatMap((said) => {
      return said.type === 'RECEIPT_STATE' ? [[said.to, said.delivered, said.read]] : []
    })
  }
}

t.test('RECEIPTS lists the newest sends first, with the state that the marks give', (t) => {
  const scene = new Scene()
  for (const index of [3, 5, 7]) scene.sends('alice', index)
  scene.sends('nobody', 8, 101)
  scene.marks('alice', 6, 4)
  const all = [
    [8, 'refused'],
    [7, 'stored'],
    [5, 'delivered'],
    [3, 'read'],
  ]
  t.same(scene.list(10), all)
  t.same(scene.list(2), all.slice(0, 2))
  t.same(scene.list(2, 'alice'), all.slice(1, 3))
  t.end()
})

t.test('a follower is told of its own messages alone, of each state once', (t) => {
  const scene = new Scene()
  scene.marks('alice', 2, 2)
  scene.receipts.stored(scene.session, 'alice', 3)
  t.same(scene.states(), [], 'the session does not follow yet')
  scene.follow()
  for (const index of [5, 7]) scene.receipts.stored(scene.session, 'alice', index)
  scene.receipts.stored(scene.session, 'carol', 8)
  scene.marks('alice', 6, 0)
  t.same(scene.states(), [['alice', 5, 0]], 'the mark itself is not told')
  scene.marks('alice', 6, 4)
  t.same(scene.states(), [], 'messages of other senders')
  scene.marks('alice', 20, 6)
  scene.marks('alice', 20, 20)
  t.same(scene.states(), [
    ['alice', 7, 5],
    ['alice', 7, 7],
  ])
  scene.marks('alice', 30, 30)
  t.same(scene.states(), [], 'every state is told')
  t.end()
})

t.test('a message that was read before its repeated receipt is reported as read', (t) => {
  const scene = new Scene()
  scene.marks('alice', 9, 9)
  scene.follow()
  scene.said()
  scene.receipts.stored(scene.session, 'alice', 5)
  t.same(scene.states(), [['alice', 5, 5]])
  t.end()
})

t.test('earlier sends are followed by their indices: only own ones that are stored', (t) => {
  const scene = new Scene()
  for (const index of [3, 5]) scene.sends('alice', index)
  scene.sends('alice', 6, 101)
  scene.marks('alice', 4, 0)
  scene.follow(3, 5, 6, 7)
  const [answer, state] = scene.said()
  t.match(answer, { type: 'FOLLOWING_RECEIPTS', request: 1 })
  t.match(state, { type: 'RECEIPT_STATE', to: 'alice', delivered: 3, read: 0 })
  scene.marks('alice', 8, 8)
  t.same(scene.states(), [['alice', 5, 5]])
  t.end()
})

t.test('what expired unread is told so, whatever the marks say later', (t) => {
  const scene = new Scene()
  for (const index of [3, 5, 7]) scene.sends('alice', index)
  scene.marks('alice', 5, 3)
  scene.follow(5, 7)
  scene.said()
  scene.base.expiries.add('alice', { through: 6, read: 3 })
  scene.receipts.moved(new Set(['alice']))
  const state = { type: 'RECEIPT_STATE', to: 'alice', delivered: 0, read: 0, expired: [5] }
  t.same(scene.said(), [state])
  scene.marks('alice', 9, 9)
  t.same(scene.states(), [['alice', 7, 7]], 'it is not told of again')
  t.same(scene.list(10), [
    [7, 'read'],
    [5, 'expired'],
    [3, 'read'],
  ])
  t.end()
})

t.test('only the newest sends are followed', (t) => {
  const scene = new Scene()
  scene.follow()
  for (let index = 1; index <= MAX_FOLLOWED + 1; index++) {
    scene.receipts.stored(scene.session, index === 1 ? 'alice' : 'carol', index)
  }
  scene.said()
  scene.marks('alice', 1, 1)
  t.same(scene.states(), [])
  scene.marks('carol', 2, 2)
  t.same(scene.states(), [['carol', 2, 2]])
  t.end()
})

t.test('the next user on a connection, or a closed one, is told nothing', (t) => {
  const scene = new Scene()
  scene.follow()
  scene.receipts.stored(scene.session, 'alice', 3)
  scene.said()
  scene.session.user = 'carol'
  const send = { type: 'SEND', request: 9, stream: new Uint8Array(16), seq: 1 } as const
  scene.receipts.accepted(scene.session, { ...send, to: 'alice', text: '' })
  scene.marks('alice', 3, 0)
  t.same(scene.said(), [])
  scene.session.user = 'bob'
  scene.receipts.accepted(scene.session, { ...send, to: 'alice', text: '' })
  t.match(scene.said(), [{ type: 'ACCEPTED', request: 9, seq: 1 }])
  scene.receipts.forget(scene.session.link)
  scene.marks('alice', 3, 3)
  t.same(scene.said(), [])
  t.end()
})
