// Workloads by name, for the command line.

import type { Workload } from '../simulation.js'
import { PersistenceOnly } from './persistence-only.js'

export function workloadOf(name: string): Workload {
  if (name === 'persistence') return new PersistenceOnly()
  throw new Error(`no workload ${name}; there is: persistence`)
}
