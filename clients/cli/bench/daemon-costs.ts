// What a load costs each daemon: its metrics before and after, subtracted. A daemon that cannot be
// asked, or that restarted between, has no figures but the reason.

import { replicasOf } from '../cluster-file.js'
import { askDebugPort } from '../debug-port.js'

export const ROLES = ['client', 'processing', 'persistence'] as const
type Role = (typeof ROLES)[number]

/** Values by metric with its labels, as the word `mntr` writes them. */
type Samples = ReadonlyMap<string, number>

/** Metrics of the daemon as a whole; some systems and tiers lack some. */
const OWN = {
  cpuSeconds: 'process_cpu_seconds_total',
  wakeUps: 'troca_loop_iterations_total',
  contextSwitches: 'troca_context_switches_total',
  transactions: 'troca_transactions_total',
  writtenBytes: 'troca_storage_written_bytes_total',
  logBytes: 'troca_log_bytes{part="content"}',
} as const

/** Metrics of the links to the replicas of a tier, or to the clients. */
const LINKS = {
  framesIn: 'troca_received_frames_total',
  framesOut: 'troca_sent_frames_total',
  writes: 'troca_socket_writes_total',
  bytesIn: 'troca_received_bytes_total',
  bytesOut: 'troca_sent_bytes_total',
} as const

type OwnCounts = Readonly<Record<keyof typeof OWN, number | null>>
export type LinkCounts = Readonly<Record<keyof typeof LINKS, number | null>>
/** null: the daemon does not tell this figure. */
export interface Counts extends OwnCounts {
  readonly links: Readonly<Record<Role, LinkCounts>>
}

/** A daemon's counts of one phase, or why it has none. */
export type DaemonCosts =
  | { readonly replica: string; readonly counts: Counts }
  | { readonly replica: string; readonly reason: string }

export function samplesOf(text: string): Samples {
  const lines = text.split('\n').map((line) => line.split('\t'))
  return new Map(lines.filter(([, value]) => value).map(([name, value]) => [name!, Number(value)]))
}

/** A metric without labels in its name is the sum of all its samples; null: there is none. */
function valueOf(samples: Samples, metric: string): number | null {
  const own = [...samples].filter(([name]) => name === metric || name.startsWith(`${metric}{`))
  return own.length === 0 ? null : own.reduce((sum, [, value]) => sum + value, 0)
}

/** Counts between two looks. Throws if a counter went down: the daemon has restarted. */
export function countsBetween(before: Samples, after: Samples): Counts {
  const between = (metric: string): number | null => {
    const [old, now] = [valueOf(before, metric), valueOf(after, metric)]
    if (old === null || now === null) return null
    if (now < old && metric.endsWith('_total')) throw new Error('it restarted meanwhile')
    return now - old
  }
  const each = <K extends string>(metrics: Readonly<Record<K, string>>, labels = '') =>
    Object.fromEntries(
      (Object.entries(metrics) as [K, string][]).map(([key, name]) => [
        key,
        between(name + labels),
      ]),
    ) as Record<K, number | null>
  const links = Object.fromEntries(ROLES.map((role) => [role, each(LINKS, `{role="${role}"}`)]))
  return { ...each(OWN), links: links as Record<Role, LinkCounts> }
}

/** Adds counts up; null where one has none. */
export function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}

/** A figure of all links of a daemon together. */
export function ofAllLinks({ links }: Counts, figure: keyof LinkCounts): number | null {
  return sumOf(ROLES.map((role) => links[role][figure]))
}

export type Look = ReadonlyMap<string, Samples | Error>

/** The daemons of the cluster in `dir`, asked through their debug ports. */
export class Daemons {
  readonly #ask: ReadonlyMap<string, () => Promise<string>>

  constructor(dir: string) {
    this.#ask = new Map(
      replicasOf(dir).map(({ name, debugHost, debugPort }) => {
        return [name, () => askDebugPort(debugPort, 'mntr', debugHost)]
      }),
    )
  }

  async look(): Promise<Look> {
    const asked = [...this.#ask].map(async ([name, ask]): Promise<[string, Samples | Error]> => {
      try {
        return [name, samplesOf(await ask())]
      } catch (error) {
        const { message, code } = error as NodeJS.ErrnoException
        return [name, new Error(`it cannot be asked: ${message || code}`)]
      }
    })
    return new Map(await Promise.all(asked))
  }
}

export function costsBetween(before: Look, after: Look): DaemonCosts[] {
  return [...before].map(([replica, old]) => {
    try {
      const now = after.get(replica)!
      if (old instanceof Error) throw old
      if (now instanceof Error) throw now
      return { replica, counts: countsBetween(old, now) }
    } catch (error) {
      return { replica, reason: (error as Error).message }
    }
  })
}
