// The driver with surroundings in memory: the order of effects, and the failures that end a
// replica.

import t from 'tap'
import { Driver } from '../../../daemons/runtime/driver.js'
import type { Surroundings } from '../../../daemons/runtime/driver.js'
import { Trace } from '../../../daemons/runtime/trace.js'
import type { TraceEvent } from '../../../daemons/runtime/trace.js'
import type { Effect, Input, LinkId } from '../../../protocol/machine/machine.js'
import type { WriteResult } from '../../../protocol/machine/storage.js'
import { ToyMachine } from './toy-replica.js'

const link = 1 as LinkId
const ping = { type: 'PING', nonce: 1 } as const
const written = { outcome: 'written' } as WriteResult

function drive(machine: ToyMachine, more: Partial<Surroundings> = {}) {
  const done: unknown[] = []
  const frames: Buffer[] = []
  const driver = new Driver(machine, {
    send: (_link, frame) => (frames.push(frame), done.push('send')),
    close: () => done.push('close'),
    hold: (_link, held) => done.push(held ? 'hold' : 'let go'),
    admit: () => done.push('admit'),
    log: (_level, event) => done.push(event),
    stopped: () => done.push('stopped'),
    halt: (code) => done.push(code),
    ...more,
  })
  return { driver, done, frames }
}

const script = (machine: ToyMachine, effects: Effect[]) => {
  machine.react = (input: Input) => (input.type === 'drain' ? effects : [])
}

t.test('effects are carried out in the order listed, a message encoded once', async (t) => {
  const machine = new ToyMachine()
  const { driver, done, frames } = drive(machine)
  const log = { type: 'log', level: 'info', event: 'said', fields: {} } as const
  const send = { type: 'send', link, message: ping } as const
  script(machine, [
    send,
    { ...send },
    log,
    { type: 'admit', link },
    { type: 'close', link, reason: '' },
    { type: 'stopped' },
  ])
  driver.feed({ type: 'drain' })
  t.same(done, ['send', 'send', 'said', 'admit', 'close', 'stopped'])
  t.equal(frames[0], frames[1])
})

t.test('an input that an effect causes is handled after the effects', async (t) => {
  const machine = new ToyMachine()
  const order: string[] = []
  const { driver } = drive(machine, {
    close: (id) => driver.feed({ type: 'link-down', link: id, reason: 'closed' }),
    stopped: () => order.push('stopped'),
  })
  machine.react = (input) => {
    order.push(input.type)
    return input.type === 'drain' ? [{ type: 'close', link, reason: '' }, { type: 'stopped' }] : []
  }
  driver.feed({ type: 'drain' })
  t.same(order, ['drain', 'stopped', 'link-down'])
})

t.test('finished writes are fed in the order of their requests', async (t) => {
  const machine = new ToyMachine()
  const write = () => Promise.resolve(written)
  const read = () => Promise.resolve({ kind: 'failed', reason: 'no' } as const)
  const { driver } = drive(machine, { store: { write, read } })
  const persist = (token: number) => ({ type: 'persist', token, transaction: {} }) as const
  script(machine, [
    persist(1),
    persist(2),
    { type: 'read', token: 3, query: { kind: 'places', indices: [] } },
  ])
  driver.feed({ type: 'drain' })
  await machine.first('read')
  t.same(
    machine.of('stored').map(({ token }) => token),
    [1, 2],
  )
})

t.test('a computation reports progress and its result, or that it failed', async (t) => {
  const machine = new ToyMachine()
  const run: NonNullable<Surroundings['workers']>['run'] = (_job, _origin, onProgress) => {
    onProgress('half')
    return Promise.reject(new Error('no memory'))
  }
  const { driver } = drive(machine, { workers: { run } })
  const job = { kind: 'unlock', user: 'u', password: 'p', secrets: null } as const
  script(machine, [{ type: 'compute', token: 4, job, origin: '192.0.2.1' }])
  driver.feed({ type: 'drain' })
  t.match(await machine.first('computed'), { token: 4, result: { reason: 'no memory' } })
  t.match(machine.of('progress'), [{ token: 4, text: 'half' }])
})

t.test('a trace has steps, sends and writes with their peers, in order', async (t) => {
  const machine = new ToyMachine()
  const trace = new Trace()
  const write = () => Promise.resolve(written)
  const read = () => Promise.resolve({ kind: 'failed', reason: '' } as const)
  const { driver } = drive(machine, { trace, store: { write, read } })
  machine.react = (input) => {
    if (input.type !== 'message') return []
    const persist = { type: 'persist', token: 1, transaction: {} } as const
    return [{ type: 'send', link, message: { type: 'PONG', nonce: 1 } }, persist]
  }
  const peer = { role: 'persistence', slot: 2, lane: 'bulk', boot: 'b' } as const
  driver.feed({ type: 'link-up', link, peer })
  driver.feed({ type: 'message', link, message: ping })
  await machine.first('stored')
  const events = trace.lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TraceEvent)
  t.match(events, [
    { what: 'step', of: 'link-up', peer: 's2' },
    { what: 'step', of: 'PING', peer: 's2' },
    { what: 'send', of: 'PONG', peer: 's2' },
    { what: 'write', of: '', peer: '' },
    { what: 'step', of: 'stored', peer: '' },
  ])
  const times = events.map(({ us }) => us)
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
})

t.test('a machine that throws halts the replica with 70 and gets no more inputs', async (t) => {
  const machine = new ToyMachine()
  const { driver, done } = drive(machine)
  machine.react = () => {
    throw new Error('P1: two holders')
  }
  driver.feed({ type: 'drain' })
  driver.feed({ type: 'drain' })
  t.same(done, ['halted', 70])
})

t.test('a write that fails halts the replica with 74', async (t) => {
  const machine = new ToyMachine()
  const halted = new Promise((resolve) => {
    const write = () => Promise.reject(new Error('SQLITE_IOERR'))
    const read = () => Promise.resolve({ kind: 'failed', reason: '' } as const)
    const { driver } = drive(machine, { store: { write, read }, halt: resolve })
    script(machine, [{ type: 'persist', token: 1, transaction: {} }])
    driver.feed({ type: 'drain' })
  })
  t.equal(await halted, 74)
})
