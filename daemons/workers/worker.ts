// The entry point of a worker thread: takes a job, reports its progress, and answers with its
// result.

import { parentPort } from 'node:worker_threads'
import type { JobResult } from '../../protocol/machine/compute.js'
import { Computations } from './computations.js'
import type { FromWorker, ToWorker } from './messages.js'

const PROGRESS_INTERVAL_MS = 100

const port = parentPort
if (!port) throw new Error('worker.js runs in a worker thread only')

const computations = new Computations()
const tell = (message: FromWorker): void => port.postMessage(message)

port.on('message', (job: ToWorker) => tell({ type: 'result', result: resultOf(job) }))

function resultOf(job: ToWorker): JobResult {
  let last = 0
  try {
    return computations.run(job, (text) => {
      const now = performance.now()
      if (now - last < PROGRESS_INTERVAL_MS) return
      last = now
      tell({ type: 'progress', text })
    })
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}
