// Sends one word to a replica's debug port and reads the answer as text.

import { connect } from 'node:net'

/** Host of the debug ports, unless the cluster file names a debugHost. */
export const DEBUG_HOST = '127.0.0.1'

/** A debug host that means every address is reached at loopback. */
export const reachable = (host: string): string =>
  /^(0\.0\.0\.0|::)$/.test(host) ? DEBUG_HOST : host

const ANSWER_MS = 1_000

/** Rejects if no answer comes in time. */
export function askDebugPort(port: number, word: string, host = DEBUG_HOST): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ host, port }, () => socket.end(`${word}\n`))
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer to ${word}`)))
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', reject)
    socket.on('close', () => resolve(answer.trim()))
  })
}
