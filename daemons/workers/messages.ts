// The messages between a pool and its worker threads. Invariant: a worker has one job at a time.

import type { Job, JobResult } from '../../protocol/machine/compute.js'

export type ToWorker = Job

export type FromWorker =
  | { readonly type: 'progress'; readonly text: string }
  | { readonly type: 'result'; readonly result: JobResult }
