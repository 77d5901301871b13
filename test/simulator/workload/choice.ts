// Workloads by name, for the command line.

import type { Workload } from '../simulation.js'
import { PersistenceOnly } from './persistence-only.js'
import { Whole } from './whole.js'

export function workloadOf(name: string): Workload {
  if (name === 'persistence') return new PersistenceOnly()
  if (name === 'whole') return new Whole()
  throw new Error(`no workload ${name}; there are: whole, persistence`)
}
