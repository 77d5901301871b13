// The debug port as netcat and curl see it.

import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { DebugPort } from '../../../daemons/runtime/debug-port.js'
import type { DebugAnswers } from '../../../daemons/runtime/debug-port.js'

let ready = true
const answers: DebugAnswers = {
  describe: (word) => (word === 'turn' ? 'idle' : undefined),
  metrics: () => ({ troca_clients: 2, troca_sends_total: 7 }),
  notReady: () => (ready ? null : 'no coordinator is known'),
  conf: () => '{}',
  stat: () => 'replica: p1',
}

/** What comes back before the other side closes; our side stays open, or not. */
async function ask(port: number, input: string, ends = false): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  if (ends) socket.end(input)
  else socket.write(input)
  return text(socket)
}

t.test('words and pages', async (t) => {
  const debug = await DebugPort.open(0, answers)
  t.teardown(() => debug.close())
  const { port } = debug
  t.equal(await ask(port, 'ruok\n'), 'imok\n', 'closes after the answer')
  t.equal(await ask(port, 'ruok\r\n'), 'imok\n')
  t.equal(await ask(port, 'ruok', true), 'imok\n', 'without a line end')
  t.equal(await ask(port, 'turn\n'), 'idle\n')
  t.equal(await ask(port, 'stat\n'), 'replica: p1\n')
  t.equal(await ask(port, 'mntr\n'), 'troca_clients\t2\ntroca_sends_total\t7\n')
  t.match(await ask(port, 'help\n'), /GET \/livez/)
  t.match(await ask(port, 'nonsense\n'), /unknown word/)
  t.equal(await ask(port, '', true), 'unknown word; try: help\n')
  const get = (path: string) => ask(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.match(await get('/livez'), /^HTTP\/1.1 200 OK[^]*\r\n\r\nok\n$/)
  t.match(await get('/metrics'), /# TYPE troca_sends_total counter\ntroca_sends_total 7\n/)
  t.match(await get('/secret'), /^HTTP\/1.1 404/)
  t.match(await get('/readyz'), /^HTTP\/1.1 200/)
  ready = false
  t.match(await get('/readyz'), /^HTTP\/1.1 503[^]*no coordinator is known/)
  t.equal(await ask(port, 'x'.repeat(20_000)), '', 'a line without end is cut off')
  await t.rejects(DebugPort.open(port, answers), /is in use by another program; stop it or choose/)
})
