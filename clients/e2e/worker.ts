// The entry point of the key thread: carries out jobs one after the other, and posts progress and
// results.

import { parentPort } from 'node:worker_threads'
import { carryOut } from './jobs.js'
import type { Job } from './jobs.js'

export type FromThread =
  | { readonly id: number; readonly type: 'progress'; readonly text: string }
  | { readonly id: number; readonly type: 'done'; readonly result: unknown }
  | { readonly id: number; readonly type: 'failed'; readonly reason: string }

const PROGRESS_INTERVAL_MS = 100

const port = parentPort
if (!port) throw new Error('worker.js runs in a worker thread only')

port.on('message', ({ id, job }: { id: number; job: Job }) => {
  const tell = (message: FromThread): void => port.postMessage(message)
  let told = -Infinity
  const onProgress = (text: string): void => {
    const now = performance.now()
    if (now - told < PROGRESS_INTERVAL_MS) return
    told = now
    tell({ id, type: 'progress', text })
  }
  try {
    tell({ id, type: 'done', result: carryOut(job, onProgress) })
  } catch (error) {
    tell({ id, type: 'failed', reason: error instanceof Error ? error.message : String(error) })
  }
})
