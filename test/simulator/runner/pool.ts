// Spreads runs over threads. A run depends on its plan alone, so the thread and the time of a run
// do not matter.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Plan } from './plan.js'
import { exhausted, type Result } from './result.js'

export interface Task {
  readonly plan: Plan
  /** Folder of machines with a planted bug. */
  readonly planted?: string
  /** Whether a failure counts only where the machines without the bug pass. */
  readonly control?: boolean
}

class Thread {
  readonly #worker = new Worker(new URL('worker.js', import.meta.url))
  readonly #ready = once(this.#worker, 'message')

  /** The result; null: the run exhausted its thread's memory and ended that thread alone. */
  async run(task: Task, stop?: AbortSignal): Promise<Result | null> {
    try {
      await this.#ready
      this.#worker.postMessage(task)
      const [result] = (await once(this.#worker, 'message', stop && { signal: stop })) as [Result]
      return result
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') return null
      throw error
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}

/**
 * Runs the tasks of `next` until there are no more or `stop` is signalled, which gives up the runs
 * under way.
 */
export async function spread<T extends Task>(
  threads: number,
  next: () => T | undefined,
  done: (result: Result, task: T) => void,
  stop?: AbortSignal,
): Promise<void> {
  const more = (): T | undefined => (stop?.aborted ? undefined : next())
  const one = async (): Promise<void> => {
    let thread = new Thread()
    try {
      for (let task = more(); task; task = more()) {
        const result = await thread.run(task, stop)
        if (result) done(result, task)
        else {
          done(exhausted(task.plan), task)
          thread = new Thread()
        }
      }
    } catch (error) {
      if (!stop?.aborted) throw error
    } finally {
      await thread.end()
    }
  }
  await Promise.all(Array.from({ length: threads }, one))
}
