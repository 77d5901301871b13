// The limits of one address and of one connection: each bound of Links by itself.

import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import type { LinkBounds } from '../../../daemons/net/bounds.js'
import { ERRORS } from '../../../protocol/errors.js'
import { encodeFrame } from '../../../protocol/wire/frame.js'
import { BarePeer } from './bare-peer.js'
import { credentialsOf, startToy } from '../runtime/toy-replica.js'
import type { Toy } from '../runtime/toy-replica.js'

const P1 = { role: 'processing', slot: 1 } as const
const P2 = { role: 'processing', slot: 2 } as const
/** Another loopback address. */
const ELSEWHERE = '127.0.0.2'

async function started(t: Test, bounds: Partial<LinkBounds>, user: string | null = null) {
  const toy = await startToy(P1, [], { bounds, userOf: () => user })
  t.teardown(() => toy.stop())
  return toy
}

async function welcomed(toy: Toy, localAddress?: string): Promise<BarePeer> {
  const peer = await BarePeer.connect(toy.port, undefined, localAddress)
  await peer.hello()
  return peer
}

async function silentSocket(t: Test, port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connectTcp({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Resolves when the server has accepted this many silent connections. */
async function untilStrangers(toy: Toy, count: number): Promise<void> {
  while (toy.links.strangers < count) await new Promise(setImmediate)
}

t.test('an address at its limit is refused; other addresses and replicas are not', async (t) => {
  const toy = await started(t, { connectionsPerAddress: 2 })
  const [first] = [await welcomed(toy), await welcomed(toy)]
  const third = await BarePeer.connect(toy.port)
  void third.hello()
  const { code, text, retryAfter } = await third.hears('ERROR')
  t.equal(code, ERRORS.TOO_MANY_CONNECTIONS.code)
  t.match(text, /2 connections from this address are open already/)
  t.ok(retryAfter, 'the refusal says when to try again')
  t.equal(toy.links.traffic.refused.get('TOO_MANY_CONNECTIONS'), 1)
  await welcomed(toy, ELSEWHERE)
  const replica = await BarePeer.connect(toy.port, await credentialsOf(P2))
  await replica.hello({ ...P2, boot: 'b2' })
  first.socket.destroy()
  await toy.machine.first('link-down')
  await welcomed(toy)
})

t.test('silent connections give way to new ones, of the address that has most', async (t) => {
  const toy = await started(t, { handshakes: 4 })
  const bystander = await silentSocket(t, toy.port, ELSEWHERE)
  await untilStrangers(toy, 1)
  const flood: Socket[] = []
  for (let i = 0; i < 3; i++) flood.push(await silentSocket(t, toy.port))
  await untilStrangers(toy, 4)
  const gone = once(flood[0]!, 'close')
  flood.push(await silentSocket(t, toy.port))
  await gone
  t.notOk(bystander.destroyed, 'the address that has most gives way, not the oldest of all')
  t.equal(toy.links.traffic.refused.get('HANDSHAKES'), 1)
  await welcomed(toy)
  t.ok(toy.links.strangers <= 4)
})

t.test('a connection silent after TLS gives way too, and is then not counted', async (t) => {
  const toy = await started(t, { handshakes: 2 })
  const peers = [await BarePeer.connect(toy.port), await BarePeer.connect(toy.port)]
  const third = await BarePeer.connect(toy.port)
  await peers[0]!.closed
  await third.hello()
  t.equal(toy.links.strangers, 1)
  peers[1]!.socket.destroy()
  while (toy.links.strangers > 0) await new Promise(setImmediate)
  third.socket.destroy()
})

t.test('a handshake sent byte by byte is ended at its deadline', async (t) => {
  const toy = await started(t, { handshakeMs: 300 })
  const peer = await BarePeer.connect(toy.port)
  const drip = setInterval(() => peer.socket.write(Uint8Array.of(1)), 50)
  t.teardown(() => clearInterval(drip))
  peer.socket.write(Uint8Array.of(0, 0, 1, 0))
  t.match(await peer.refusal(), /no handshake within 300 ms/)
  t.equal(toy.links.traffic.refused.get('TOO_SLOW'), 1)
})

t.test('a frame sent byte by byte is ended at its deadline, after whole frames too', async (t) => {
  const toy = await started(t, { frameMs: 400 }, 'carol')
  const patient = await welcomed(toy)
  const peer = await welcomed(toy)
  const status = encodeFrame({ type: 'STATUS', request: 1 })
  const begun = Buffer.concat([status, Uint8Array.of(0, 0, 1, 0)])
  peer.socket.write(begun)
  const drip = setInterval(() => peer.socket.write(Uint8Array.of(1)), 50)
  t.teardown(() => clearInterval(drip))
  t.match(await peer.refusal(), /a frame that was not complete within 400 ms/)
  patient.say({ type: 'PING', nonce: 5 })
  t.equal((await patient.hears('PONG')).nonce, 5, 'a client that sends whole frames stays')
  patient.socket.destroy()
})

t.test('a client without log-in and requests is ended; one with requests stays', async (t) => {
  const toy = await started(t, { loginMs: 800 })
  const idle = await welcomed(toy)
  const monitor = await welcomed(toy)
  const ping = setInterval(() => idle.say({ type: 'PING', nonce: 0 }), 50)
  const ask = setInterval(() => monitor.say({ type: 'STATUS', request: 1 }), 50)
  t.teardown(() => (clearInterval(ping), clearInterval(ask)))
  t.match(await idle.refusal(), /no log-in, and no request, within 800 ms/)
  clearInterval(ping)
  t.equal(toy.links.traffic.refused.get('LOGIN_TIMEOUT'), 1)
  t.notOk(monitor.socket.destroyed, 'signs of life alone are no request, STATUS is')
  monitor.socket.destroy()
})

t.test('a peer that is gone without closing is noticed by its silence', async (t) => {
  const toy = await started(t, { clientSilenceMs: 600 }, 'carol')
  const gone = await welcomed(toy)
  t.match(await toy.machine.first('link-down'), { reason: /^silent for \d+ ms/ })
  t.equal(toy.links.traffic.refused.get('SILENT'), 1)
  gone.socket.destroy()
})

t.test('a client with many requests does not delay another client', async (t) => {
  const toy = await started(t, {}, 'carol')
  const order: string[] = []
  toy.machine.react = (input) => {
    if (input.type === 'message') order.push(input.link === eager ? 'eager' : 'other')
    return []
  }
  const [first, second] = [await welcomed(toy), await welcomed(toy)]
  const { link: eager } = await toy.machine.first('link-up')
  const asked = 2_000
  const frame = encodeFrame({ type: 'STATUS', request: 1 })
  first.socket.write(Buffer.concat(Array.from({ length: asked }, () => frame)))
  await toy.machine.inputs.find(({ type }) => type === 'message')
  second.say({ type: 'STATUS', request: 2 })
  while (order.length <= asked) await new Promise(setImmediate)
  t.ok(order.indexOf('other') < asked, `after ${order.indexOf('other')} of ${asked}`)
  for (const one of [first, second]) one.socket.destroy()
})

t.test('a held client is neither read nor ended for silence', async (t) => {
  const toy = await started(t, { clientSilenceMs: 600 }, 'carol')
  const peer = await welcomed(toy)
  const other = await welcomed(toy)
  const { link } = await toy.machine.first('link-up')
  toy.links.hold(link, true)
  peer.say({ type: 'STATUS', request: 7 })
  await toy.machine.inputs.find(({ type }) => type === 'link-down')
  t.match(toy.machine.of('link-down').length, 1, 'only the other one was silent')
  t.same(toy.machine.of('message'), [])
  toy.links.hold(link, false)
  t.match((await toy.machine.first('message')).message, { request: 7 })
  for (const one of [peer, other]) one.socket.destroy()
})
