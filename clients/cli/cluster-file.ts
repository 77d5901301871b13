// The replicas of a cluster file, as commands need them. The daemons check the file; here it is only
// read, with the same defaults.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { bareHost } from '../../protocol/host.js'
import { DEBUG_HOST, reachable } from './debug-port.js'

export interface ReplicaPorts {
  /** p1 ..., s1 ... */
  readonly name: string
  readonly machine: string
  /** Host that others dial. */
  readonly host: string
  /** Host that the replica binds. */
  readonly listen: string
  readonly port: number
  /** Host of the debug port, as its own machine reaches it. */
  readonly debugHost: string
  readonly debugPort: number
}

interface Placed {
  slot: number
  machine?: string
  host: string
  listen?: string
  port: number
  debugHost?: string
  debugPort: number
}

interface ClusterFile {
  debugHost?: string
  replicas: { processing: Placed[]; persistence: Placed[] }
}

export function hasCluster(dir: string): boolean {
  return existsSync(join(dir, 'cluster.yaml'))
}

export function replicasOf(dir: string): ReplicaPorts[] {
  const file = parse(readFileSync(join(dir, 'cluster.yaml'), 'utf8')) as ClusterFile
  const { replicas, debugHost: everyDebugHost = DEBUG_HOST } = file
  const named = (letter: string, list: readonly Placed[]): ReplicaPorts[] =>
    list.map(({ slot, port, debugPort, ...place }) => {
      const host = bareHost(place.host)
      const { machine = host, listen = host, debugHost = everyDebugHost } = place
      const ports = { port, debugHost: reachable(bareHost(debugHost)), debugPort }
      return { name: `${letter}${slot}`, machine, host, listen: bareHost(listen), ...ports }
    })
  return [...named('p', replicas.processing), ...named('s', replicas.persistence)]
}
