// A guard process that outlives the test process for a moment, however the test process dies. The
// test reports on stdin which replicas run ("+ 123", "- 123"); when stdin ends, the guard kills
// those left.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SELF = fileURLToPath(import.meta.url)

export interface Guard {
  started(pid: number): void
  ended(pid: number): void
}

/** The guard is detached, so that a signal to the test's process group does not reach it. */
export function startGuard(): Guard {
  const child = spawn(process.execPath, [SELF], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  const { stdin } = child
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  return {
    started: (pid) => void stdin.write(`+ ${pid}\n`),
    ended: (pid) => void stdin.write(`- ${pid}\n`),
  }
}

async function guard(): Promise<void> {
  const running = new Set<number>()
  for await (const line of createInterface({ input: process.stdin })) {
    const pid = Number(line.slice(2))
    if (line.startsWith('+')) running.add(pid)
    else running.delete(pid)
  }
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // The replica has ended meanwhile.
    }
  }
}

if (process.argv[1] === SELF) await guard()
