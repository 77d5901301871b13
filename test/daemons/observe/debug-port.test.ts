// The debug port as netcat and curl see it.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { DebugPort, type DebugAnswers } from '../../../daemons/observe/debug-port.js'
import { debugWords } from '../../../daemons/observe/debug-words.js'

let ready = true
const figures = {
  contentType: 'text/plain; version=0.0.4',
  exposition: () => Promise.resolve('# TYPE troca_clients gauge\ntroca_clients 2\n'),
  lines: () => Promise.resolve('troca_clients\t2'),
}

/** `turn` is the machine's answer to that word. */
const answersOf = (turn: string): DebugAnswers => {
  const own = { turn: { meaning: 'the turn', answer: () => turn } }
  const clock = { meaning: 'the clock', answer: () => '7' }
  const machine = { debugWords: { ...own, clock } }
  const summary = () => ['replica: p1']
  const words = debugWords({ machine, figures, summary, unreached: () => [], conf: () => '{}' })
  return { words, figures, notReady: () => (ready ? null : 'no coordinator is known') }
}
const answers = answersOf('idle')

/** The answer up to the other side's end. `ends` closes our side after the input. */
async function ask(port: number, input: string, ends = false): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  if (ends) socket.end(input)
  else socket.write(input)
  return text(socket)
}

t.test('the debug port answers words and HTTP pages', async (t) => {
  const debug = await DebugPort.open({ host: '127.0.0.1', port: 0 }, answers)
  t.teardown(() => debug.close())
  const { port } = debug
  t.equal(await ask(port, 'ruok\n'), 'imok\n', 'closes after the answer')
  t.equal(await ask(port, 'ruok\r\n'), 'imok\n')
  t.equal(await ask(port, 'ruok', true), 'imok\n', 'without a line end')
  t.equal(await ask(port, 'turn\n'), 'idle\n')
  t.equal(await ask(port, 'stat\n'), 'replica: p1\n')
  t.equal(await ask(port, 'mntr\n'), 'troca_clients\t2\n')
  t.equal(await ask(port, 'clok\n'), await ask(port, 'clock\n'), 'the older name')
  const help = await ask(port, 'help\n')
  for (const line of [/GET \/livez/, /^turn +the turn$/m, /^ruok +imok/m]) t.match(help, line)
  t.match(await ask(port, 'version\n'), /^troca \d+\.\d+\.\d+\nwire \d+\nnode \d+/)
  t.match(await ask(port, 'constructor\n'), /unknown word/)
  t.match(await ask(port, 'nonsense\n'), /unknown word/)
  t.equal(await ask(port, '', true), 'unknown word; try: help\n')
  const get = (path: string) => ask(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.match(await get('/livez'), /^HTTP\/1.1 200 OK[^]*\r\n\r\nok\n$/)
  const page =
    /^HTTP\/1.1 200 OK\r\n[^]*Content-Type: text\/plain; version=0.0.4\r\n[^]*troca_clients 2\n$/
  t.match(await get('/metrics'), page)
  t.match(await get('/secret'), /^HTTP\/1.1 404/)
  t.match(await get('/livez?verbose=1'), /^HTTP\/1.1 200/)
  const by = (method: string) => ask(port, `${method} /livez HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.match(await by('HEAD'), /^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 3\r\n\r\n$/)
  t.match(await by('OPTIONS'), /^HTTP\/1.1 204 [^]*Allow: GET, HEAD, OPTIONS\r\n/)
  t.match(await by('POST'), /^HTTP\/1.1 405 [^]*needed: GET, HEAD, OPTIONS\n$/)
  t.match(await get('/readyz'), /^HTTP\/1.1 200/)
  ready = false
  t.match(await get('/readyz'), /^HTTP\/1.1 503[^]*no coordinator is known/)
  t.equal(await ask(port, 'x'.repeat(20_000)), '', 'a line without end is cut off')
  const again = DebugPort.open({ host: '127.0.0.1', port }, answers)
  await t.rejects(again, /is in use by another program; stop it or choose/)
})

/** Resolves when the socket is closed. A reset is no error: the peer may close while we write. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {}).on('close', () => resolve())
  })

t.test('a connection that writes or reads too slowly is closed', async (t) => {
  const long = 'x'.repeat(64 * 1024 * 1024)
  const told = answersOf(long)
  const debug = await DebugPort.open({ host: '127.0.0.1', port: 0 }, told, 200)
  t.teardown(() => debug.close())
  const to = { host: '127.0.0.1', port: debug.port }
  const reader = connect(to)
  const readerLeft = closed(reader)
  reader.write('turn\n')
  await once(reader, 'readable')
  const writer = connect(to)
  const drop = setInterval(() => writer.write('x'), 10)
  t.teardown(() => clearInterval(drop))
  // Bytes now and then do not extend the deadline.
  await closed(writer.resume())
  // The reader connected first, so its deadline came first.
  reader.resume()
  await readerLeft
  t.ok(reader.bytesRead < long.length, 'cut off')
})

t.test('a connection beyond the limit is closed; one that ends makes room', async (t) => {
  const debug = await DebugPort.open({ host: '127.0.0.1', port: 0 }, answers)
  t.teardown(() => debug.close())
  const { port } = debug
  const idle = Array.from({ length: 64 }, () => connect({ host: '127.0.0.1', port }))
  await Promise.all(idle.map((socket) => once(socket, 'connect')))
  const refused = connect({ host: '127.0.0.1', port })
  await closed(refused.resume())
  t.equal(refused.bytesRead, 0)
  const [first] = idle
  first!.end('ruok\n')
  t.equal(await text(first!), 'imok\n', 'earlier connections are served')
  t.equal(await ask(port, 'ruok\n'), 'imok\n', 'a connection that ended has made room')
  for (const socket of idle) socket.destroy()
})
