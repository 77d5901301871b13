// What the debug ports of this machine's replicas tell the commands of repair.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { replicasOf, type ReplicaPorts } from '../cluster-file.js'
import { askDebugPort, reachable } from '../debug-port.js'

export interface Told {
  readonly name: string
  /** 'ready', or why the replica does not serve; null: its debug port does not answer. */
  readonly state: string | null
  /** Seconds since its process started. */
  readonly uptime: number
  /** Entries that it knows to be committed. */
  readonly committed: number
  readonly coordinates: boolean
}

interface ClusterIds {
  readonly clusterId: string
  readonly historyId?: string
  readonly debugHost?: string
}

const SILENT = { state: null, uptime: 0, committed: 0, coordinates: false }

async function tell(dir: string, { name, debugPort }: ReplicaPorts): Promise<Told> {
  const ids = parse(readFileSync(join(dir, 'cluster.yaml'), 'utf8')) as ClusterIds
  const { clusterId, historyId, debugHost = '127.0.0.1' } = ids
  const ask = (word: string): Promise<string> => askDebugPort(debugPort, word, reachable(debugHost))
  try {
    const lines = (await ask('stat')).split('\n')
    const line = (start: string): string | undefined =>
      lines.find((one) => one.startsWith(`${start}: `))?.slice(start.length + 2)
    // Another program, or a replica of another cluster, may answer at this port.
    const other = line('cluster') !== clusterId || line('replica') !== name
    if (other || (historyId !== undefined && line('history') !== historyId))
      return { name, ...SILENT }
    const figures = new Map(
      (await ask('mntr')).split('\n').map((row) => row.split('\t')) as [string, string][],
    )
    const figure = (metric: string): number => Number(figures.get(metric) ?? 0)
    const committed = name.startsWith('s') ? 'troca_log_commit_index' : 'troca_applied_index'
    return {
      name,
      state: line('state') ?? null,
      uptime: Number.parseInt(line('uptime') ?? '0', 10),
      committed: figure(committed),
      coordinates: figure('troca_is_coordinator') === 1,
    }
  } catch {
    return { name, ...SILENT }
  }
}

export function tellAll(dir: string): Promise<Told[]> {
  return Promise.all(replicasOf(dir).map((replica) => tell(dir, replica)))
}

/** The replica serves and has everything that any replica had committed when it was asked. */
export async function hasCaughtUp(
  dir: string,
  name: string,
): Promise<{ done: boolean; reason: string }> {
  const all = await tellAll(dir)
  const own = all.find((one) => one.name === name)
  const reason = own?.state ?? 'its debug port does not answer'
  if (!own || own.state !== 'ready') return { done: false, reason }
  const again = await tell(
    dir,
    replicasOf(dir).find((one) => one.name === name)!,
  )
  const most = Math.max(...all.map(({ committed }) => committed))
  return { done: again.committed >= most, reason: `it has ${again.committed} of ${most} entries` }
}
