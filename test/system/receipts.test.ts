// Receipts on real daemons: the sender sees each send accepted, stored, delivered and read, in that
// order, over a kill -9 of the coordinator. The states last over a kill -9 of all replicas.

import t from 'tap'
import type { ReceiptEvent, SentMessage } from '../../clients/index.js'
import { Cluster } from './cluster.js'

t.setTimeout(280_000)

const ORDER = ['accepted', 'stored', 'delivered', 'read']

/** States that a sender was told, by place in its stream. */
class Heard {
  readonly #states = new Map<string, string[]>()
  #wake = (): void => {}

  readonly take = ({ stream, seq, state }: ReceiptEvent): void => {
    const key = `${stream}/${seq}`
    this.#states.set(key, [...(this.#states.get(key) ?? []), state])
    this.#wake()
  }

  get all(): string[][] {
    return [...this.#states.values()]
  }

  /** Number of sends that have reached this state. */
  async until(state: string, count: number): Promise<void> {
    while (this.all.filter((states) => states.includes(state)).length < count) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

const statesOf = (sends: readonly SentMessage[]): string[] => [
  ...new Set(sends.map(({ state }) => state)),
]

t.test('a sender sees its sends progress, despite kills', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  const heard = new Heard()
  bob.events.on('receipt', heard.take)
  await bob.receipts.follow()
  const send = (from: number, to: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: to - from }, (_, i) => bob.send('alice', `message ${from + i}`)),
    )
  await send(0, 50)
  await heard.until('stored', 50)
  t.same(statesOf(await bob.receipts.list()), ['stored'])
  t.ok(heard.all.some((states) => states.includes('accepted')))

  // Alice receives the messages, and acknowledges them only once the coordinator is gone.
  const messages = alice.messages()
  const read = async (count: number): Promise<number> => {
    let last = 0
    for (let i = 0; i < count; i++) {
      const next = await messages.next()
      if (next.value) last = next.value.index
    }
    return last
  }
  const last = await read(50)
  await heard.until('delivered', 50)
  t.same(statesOf(await bob.receipts.list()), ['delivered'])
  const coordinator = await cluster.coordinator()
  await coordinator.kill()
  alice.ack(last)
  await heard.until('read', 50)
  await send(50, 100)
  alice.ack(await read(50))
  await heard.until('read', 100)
  const inOrder = (states: readonly string[]): string => {
    return ORDER.filter((state) => states.includes(state)).join()
  }
  const wrong = heard.all.filter((states) => states.join() !== inOrder(states))
  t.same(wrong, [], 'each state once, and in order')
  t.ok(heard.all.every((states) => states.includes('stored')))
  await t.rejects(bob.send('nobody', 'x'), { name: 'NO_SUCH_USER' })

  const before = await bob.receipts.list({ limit: 1_000 })
  t.equal(before.length, 101)
  t.match(before[0], { to: 'nobody', state: 'refused', error: 'NO_SUCH_USER' })
  t.same(statesOf(before.slice(1)), ['read'])
  t.same(await alice.receipts.list(), [], 'a recipient sees no receipts of her senders')
  coordinator.start()
  await cluster.untilSettled()
  await Promise.all(cluster.replicas.map((replica) => replica.kill()))
  for (const replica of cluster.replicas) replica.start()
  await cluster.untilSettled()
  t.same(
    await bob.receipts.list({ limit: 1_000 }),
    before,
    'the states are the same after the kill',
  )
  const shown = await cluster.troca('bob', ['receipts', '--to', 'alice', '--limit', '2', '--json'])
  t.same(
    shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    before.slice(1, 3).toReversed(),
  )
})

t.test('a peek on the command line delivers, and an inbox reads', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1 })
  await cluster.register('alice')
  await cluster.register('bob')
  const stateAt = async (state: string): Promise<void> => {
    await cluster.until(`bob sees his message ${state}`, async () => {
      const { stdout } = await cluster.troca('bob', ['receipts', '--json'])
      return (JSON.parse(stdout) as SentMessage).state === state ? true : null
    })
  }
  t.match((await cluster.troca('bob', ['receipts'])).stderr, 'nothing was sent')
  await cluster.troca('bob', ['send', 'alice', 'olá'])
  await stateAt('stored')
  t.match((await cluster.troca('alice', ['inbox', '--peek'])).stdout, 'olá')
  await stateAt('delivered')
  const following = cluster.troca('bob', ['receipts', '--follow', '--json'])
  await cluster.troca('alice', ['inbox'])
  const { stdout, code } = await following
  t.equal(code, 0)
  t.match(JSON.parse(stdout.trim().split('\n').at(-1)!), { to: 'alice', state: 'read' })
  await stateAt('read')
  t.match((await cluster.troca('bob', ['receipts'])).stdout, /alice .*read/)
})
