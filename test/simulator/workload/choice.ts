// Workloads by name.

import type { Workload } from '../simulation.js'
import { PersistenceOnly } from './persistence-only.js'
import { Whole } from './whole.js'

export const WORKLOADS = ['whole', 'persistence'] as const
export type WorkloadName = (typeof WORKLOADS)[number]

export function workloadOf(name: WorkloadName): Workload {
  return name === 'whole' ? new Whole() : new PersistenceOnly()
}
