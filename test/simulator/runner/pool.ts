// Spreads runs over threads. A run depends on its plan alone, so it does not matter which thread does
// it, nor when.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Plan } from './plan.js'
import type { Result } from './result.js'

export interface Task {
  readonly plan: Plan
  /** Folder of machines with a bug in them. */
  readonly planted?: string
  /** A failure counts only where the machines without the bug pass. */
  readonly control?: boolean
}

/**
 * Runs what `next` gives until it gives nothing more or `stop` is signalled; what is under way then
 * is given up.
 */
export async function spread<T extends Task>(
  threads: number,
  next: () => T | undefined,
  done: (result: Result, task: T) => void,
  stop?: AbortSignal,
): Promise<void> {
  const more = (): T | undefined => (stop?.aborted ? undefined : next())
  const one = async (): Promise<void> => {
    const worker = new Worker(new URL('worker.js', import.meta.url))
    try {
      for (let task = more(); task; task = more()) {
        worker.postMessage(task)
        const [result] = (await once(worker, 'message', stop && { signal: stop })) as [Result]
        done(result, task)
      }
    } catch (error) {
      if (!stop?.aborted) throw error
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: threads }, one))
}
