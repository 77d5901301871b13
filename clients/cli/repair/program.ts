// What the commands of repair share: the daemons' program that does the work, the question before it, and
// times in texts.

import { EXIT, Failure } from '../failure.js'
import { note } from '../output.js'
import { askLine } from '../password.js'
import { daemonProgram, run } from '../programs.js'
import { say } from './texts.js'

/** Runs one command of the program; throws a Failure with its sentence. */
export async function repair<T>(command: string, args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await run(daemonProgram('repair'), [command, ...args])
  if (code !== 0) throw new Failure(EXIT.failed, stderr.trim() || `repair ended with ${code}`)
  return JSON.parse(stdout) as T
}

/** Tells what will be done, and asks; throws a Failure unless the user agrees. */
export async function confirm(lines: readonly string[], yes: boolean): Promise<void> {
  for (const line of lines) note(line)
  if (yes) return
  if (!process.stdin.isTTY) throw new Failure(EXIT.usage, say('needsYes'))
  const answer = (await askLine(say('confirm'))).trim().toLowerCase()
  if (!['yes', 'y', 'sim', 's'].includes(answer)) throw new Failure(EXIT.failed, say('notDone'))
}

export const YES = { type: 'boolean', default: false, describe: 'do not ask' } as const

/** UTC, so that machines agree. */
export function timeText(ms: number): string {
  return ms === 0 ? '-' : new Date(ms).toISOString()
}
