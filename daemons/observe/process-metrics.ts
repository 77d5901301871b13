// The metrics of the process itself: one row a metric. A figure that the system does not give is left
// out.

import { readFileSync } from 'node:fs'
import { one, type Row, type Sample } from './row.js'

/** Bytes that the process caused to be written to storage; null where Linux does not count them. */
function writtenBytes(): number | null {
  try {
    const found = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))
    return found && Number(found[1])
  } catch {
    return null
  }
}

/** Context switches of all threads, unlike those of /proc/self/status, which are the main one's. */
function contextSwitches(): Sample[] {
  // Node reports 0 on Windows, which does not count them.
  if (process.platform === 'win32') return []
  const { voluntaryContextSwitches, involuntaryContextSwitches } = process.resourceUsage()
  return [
    { labels: { kind: 'voluntary' }, value: voluntaryContextSwitches },
    { labels: { kind: 'involuntary' }, value: involuntaryContextSwitches },
  ]
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export const PROCESS_ROWS = {
  troca_uptime_seconds: {
    help: 'Since the process was started.',
    type: 'gauge',
    read: () => one(Math.round(process.uptime())),
  },
  process_cpu_seconds_total: {
    help: 'CPU time of all threads of the process.',
    type: 'counter',
    read: () => one(cpuSeconds()),
  },
  process_resident_memory_bytes: {
    help: 'Memory of the process.',
    type: 'gauge',
    read: () => one(process.memoryUsage.rss()),
  },
  nodejs_heap_size_used_bytes: {
    help: 'Bytes of JavaScript objects, garbage included.',
    type: 'gauge',
    read: () => one(process.memoryUsage().heapUsed),
  },
  troca_loop_iterations_total: {
    help: 'Turns of the event loop: how often the main thread woke up, or went on at once.',
    type: 'counter',
    read: () => one(performance.nodeTiming.uvMetricsInfo.loopCount),
  },
  troca_context_switches_total: {
    help: 'Context switches of all threads of the process.',
    type: 'counter',
    labels: ['kind'],
    read: contextSwitches,
  },
  troca_storage_written_bytes_total: {
    help: 'Bytes that the process caused to be written to storage, where the system counts them.',
    type: 'counter',
    read: () => {
      const bytes = writtenBytes()
      return bytes === null ? [] : one(bytes)
    },
  },
  troca_clock_timestamp_seconds: {
    help: "This machine's wall clock.",
    type: 'gauge',
    read: () => one(Date.now() / 1_000),
  },
} as const satisfies Record<string, Row<unknown>>
