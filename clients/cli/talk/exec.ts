// The command of `troca listen --exec`.

import { spawn } from 'node:child_process'
import type { InboxMessage } from '../../inbox-message.js'

/**
 * Runs a command of the shell for a message: the message as JSON on its stdin, with the members that
 * `--json` prints, and TROCA_FROM and TROCA_INDEX in its environment. Resolves with null if it ended
 * with 0, otherwise with how it ended.
 */
export function runFor(command: string, message: InboxMessage): Promise<string | null> {
  const { index, from, to, time, stream, seq, text, endToEnd } = message
  const json = JSON.stringify({ index, from, to, time, stream, seq, text, endToEnd })
  const env = { ...process.env, TROCA_FROM: from, TROCA_INDEX: String(index) }
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, env, stdio: ['pipe', 'inherit', 'inherit'] })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => {
      resolve(code === 0 ? null : String(code ?? signal))
    })
    // A command need not read its input.
    child.stdin.on('error', () => {})
    child.stdin.end(`${json}\n`)
  })
}
