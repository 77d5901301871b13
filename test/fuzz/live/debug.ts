// The debug port under fuzzing: words, endless lines, invalid HTTP. The port must answer or close,
// and must answer `ruok` afterwards.

import { once } from 'node:events'
import { connect } from 'node:net'
import { WORDS } from '../../system/debug-words.js'
import { askDebugPort } from '../../../clients/cli/debug-port.js'
import type { Random } from '../../simulator/random.js'

const STRANGE = [
  ...[
    '',
    '\n',
    '\r\n\r\n',
    'GET',
    'GET ',
    'GET  HTTP/1.1',
    'GET /../../etc/passwd HTTP/1.1\r\n\r\n',
  ],
  ...['POST /metrics HTTP/1.1\r\n\r\n', 'GET /livez HTTP/9.9\r\n', 'constructor\n', '__proto__\n'],
  ...['toString\n', 'ruok\nruok\nruok\n', 'GET /metrics HTTP/1.1\r\nHost: \0\r\n\r\n', '%n%s%x\n'],
]
const PATIENCE_MS = 10_000

function input(random: Random): Buffer {
  const from = random.below(5)
  if (from === 0) return Buffer.from(`${random.pick(WORDS)}\n`)
  if (from === 1) return Buffer.from(random.pick(STRANGE))
  if (from === 2) return Buffer.from(random.bytes(random.between(1, 2_000)))
  if (from === 3) return Buffer.alloc(random.between(1_000, 200_000), random.pick(['a', '\r', ' ']))
  const header = `X: ${'y'.repeat(random.between(1, 3_000))}\r\n`
  return Buffer.from(`GET /readyz HTTP/1.1\r\n${header.repeat(random.between(1, 6))}\r\n`)
}

/** Sends random input to a debug port; returns the fault, or null. */
export async function probeDebugPort(port: number, random: Random): Promise<string | null> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  socket.resume()
  const closed = once(socket, 'close').catch(() => {})
  const bytes = input(random)
  const step = random.chance(0.2) ? Math.ceil(bytes.length / 7) : bytes.length
  for (let at = 0; at < bytes.length; at += step) socket.write(bytes.subarray(at, at + step))
  if (random.chance(0.3)) socket.destroy()
  else socket.end()
  const late = setTimeout(() => socket.destroy(), PATIENCE_MS)
  const begun = performance.now()
  await closed
  clearTimeout(late)
  if (performance.now() - begun >= PATIENCE_MS) return 'the debug port left a connection open'
  const answer = await askDebugPort(port, 'ruok').catch((error: Error) => error.message)
  // No answer is no fault: the port may be busy, or at its limit of connections.
  return answer === 'imok' || /no answer|ECONN/.test(answer) || answer === ''
    ? null
    : `ruok: ${answer}`
}
