import t from 'tap'
import type { LinkId } from '../../../protocol/machine/machine.js'
import { Outbox } from '../../../protocol/machine/effects.js'
import type { ProcessingContext } from '../../../protocol/processing/context.js'
import type { LogClient } from '../../../protocol/processing/log-client.js'
import type { MessageOpener, Openable } from '../../../protocol/sessions/opener.js'
import { Pushes } from '../../../protocol/sessions/pushes.js'
import type { RequestContext } from '../../../protocol/sessions/request-context.js'
import type { Session } from '../../../protocol/sessions/session.js'
import type { Executor } from '../../../protocol/state/executor.js'

type Page = Parameters<Parameters<MessageOpener['read']>[3]>[0]
type Opened = Parameters<Parameters<MessageOpener['open']>[2]>[0]

/** Bob listens. Pages and opened texts come only when a test says so. */
class Scene {
  readonly #outbox = new Outbox()
  readonly pushes: Pushes
  readonly #session = { link: 1 as LinkId, user: 'bob' } as Session
  #page: ((page: Page) => void) | undefined
  #opening: { stored: readonly Openable[]; then: (messages: Opened) => void } | undefined

  constructor() {
    const opener = {
      read: (_user, _after, _limit, then) => void (this.#page = then),
      open: (_session, stored, then) => void (this.#opening = { stored, then }),
    } satisfies Pick<MessageOpener, 'read' | 'open'>
    const ledger = { index: 0, marks: { of: () => ({ read: 0, delivered: 0 }) } }
    this.pushes = new Pushes(
      { outbox: this.#outbox } as unknown as ProcessingContext,
      { wantBodies: () => {} } as unknown as LogClient,
      { base: ledger } as unknown as Executor,
      { reply: () => {}, endsWithLogin: () => {} } as unknown as RequestContext,
      opener as unknown as MessageOpener,
    )
    this.pushes.listen(this.#session, 'bob', {
      ...{ type: 'LISTEN', request: 1, after: null, window: 16 },
    })
  }

  reads(...indices: number[]): void {
    const stored = indices.map((index) => ({ index }) as Openable)
    this.#page!({ stored, through: indices.at(-1)!, more: false })
  }

  opened(): void {
    const { stored, then } = this.#opening!
    then(stored.map(({ index }) => ({ index })) as unknown as Opened)
  }

  acknowledge(index: number): void {
    this.pushes.acknowledge(this.#session.link, index)
  }

  /** Indices pushed since the last call. */
  pushed(): number[] {
    return this.#outbox.take().flatMap((effect) => {
      if (effect.type !== 'send' || effect.message.type !== 'PUSH') return []
      return effect.message.messages.map(({ index }) => index)
    })
  }
}

/** Retention erases everything through 20; the owner deletes 10 and 20. */
const EXPIRED = { index: 40, mailbox: 'bob', indices: null, through: 20 }
const DELETED = { index: 40, mailbox: 'bob', indices: [10, 20], through: 0 }

for (const [what, drop] of Object.entries({ expired: EXPIRED, deleted: DELETED })) {
  t.test(`messages that are ${what} while they are opened are not pushed`, async (t) => {
    const scene = new Scene()
    scene.reads(10, 20, 30)
    scene.pushes.dropped(drop)
    scene.opened()
    t.same(scene.pushed(), [30])
  })

  t.test(`nor those ${what} after a page has shown and acknowledged them`, async (t) => {
    const scene = new Scene()
    scene.reads(10, 20, 30)
    scene.acknowledge(30)
    scene.pushes.dropped(drop)
    scene.opened()
    t.same(scene.pushed(), [30])
  })

  t.test(`a page that is older than what was ${what} is pushed without that`, async (t) => {
    const scene = new Scene()
    scene.pushes.dropped(drop)
    scene.reads(10, 20, 30)
    scene.opened()
    t.same(scene.pushed(), [30])
  })
}

t.test('another mailbox may lose all its messages', async (t) => {
  const scene = new Scene()
  scene.reads(10, 20, 30)
  scene.pushes.dropped({ ...EXPIRED, mailbox: 'alice' })
  scene.opened()
  t.same(scene.pushed(), [10, 20, 30])
})
