// Where init puts the replicas of a new cluster: the texts of --host and --machines.

import type { ReplicaPlace } from './cluster.js'
import { bareHost } from '../../protocol/host.js'

export interface Places {
  /** Host of the replicas without a place of their own. */
  readonly host: string
  readonly places: ReadonlyMap<string, ReplicaPlace>
  /** Number of machines by --machines, each with a replica of either tier; null: not given. */
  readonly machines: number | null
}

const LOOPBACK = '127.0.0.1'

/** `p1=10.0.0.1` puts one replica there; an address alone, all others. Throws for any other text. */
export function placesOf(hosts: readonly string[], machines: string | undefined): Places {
  const places = new Map<string, ReplicaPlace>()
  if (machines !== undefined) {
    if (hosts.length > 0) throw new Error('--machines names every host already: leave --host out')
    const list = machines.split(',').map((text) => machineOf(text.trim()))
    for (const [i, place] of list.entries()) {
      places.set(`p${i + 1}`, place).set(`s${i + 1}`, place)
    }
    return { host: LOOPBACK, places, machines: list.length }
  }
  let host = LOOPBACK
  for (const text of hosts) {
    const [, name, address] = /^([ps][1-9])=(.+)$/.exec(text) ?? []
    if (name && places.has(name)) throw new Error(`--host ${text}: ${name} has a host already`)
    if (name) places.set(name, { host: bareHost(address!) })
    else if (text.includes('='))
      throw new Error(`--host ${text}: p1=ADDRESS or s1=ADDRESS is needed`)
    else host = bareHost(text)
  }
  return { host, places, machines: null }
}

/** `10.0.0.1`, or a name of the machine's own: `a=10.0.0.1`. */
function machineOf(text: string): ReplicaPlace {
  const [, machine, address] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (machine) return { machine, host: bareHost(address!) }
  if (text === '') throw new Error('--machines: addresses with commas between them are needed')
  return { host: bareHost(text) }
}
