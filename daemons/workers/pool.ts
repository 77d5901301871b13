// Runs jobs on worker threads. Invariants: a thread has at most one job; jobs that make keys
// (seconds) never hold every thread, so that opening and unlocking (milliseconds) always go on;
// what waits is bounded. A thread that dies fails its own job only, and the next job starts another.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Job, JobResult } from '../../protocol/replicas/compute.js'
import type { FromWorker } from './messages.js'

export interface PoolOptions {
  /** Threads; one less than there are cores by default, 1 to 4. Of 1 there are yet 2. */
  readonly size?: number
  /** Short jobs that may wait; 1024 by default. */
  readonly maxWaiting?: number
  /** Accounts to be created that may wait; 64 by default. */
  readonly maxWaitingAccounts?: number
  /** The thread's module; worker.js by default. */
  readonly script?: URL
}

interface Task {
  readonly job: Job
  readonly onProgress: (text: string) => void
  readonly settle: (result: JobResult) => void
}

interface Thread {
  readonly worker: Worker
  task: Task | undefined
}

const MAX_DEFAULT_SIZE = 4

export class WorkerPool {
  readonly #size: number
  readonly #limits: { readonly short: number; readonly long: number }
  readonly #script: URL
  readonly #threads = new Set<Thread>()
  readonly #waiting: { readonly short: Task[]; readonly long: Task[] } = { short: [], long: [] }
  #closed = false

  constructor(options: PoolOptions = {}) {
    const { maxWaiting = 1024, maxWaitingAccounts = 64 } = options
    this.#size = Math.max(2, options.size ?? defaultSize())
    this.#limits = { short: maxWaiting, long: maxWaitingAccounts }
    this.#script = options.script ?? new URL('./worker.js', import.meta.url)
  }

  /** The job's result; never rejects: what cannot be done is `failed`, with the reason. */
  run(job: Job, onProgress: (text: string) => void = () => {}): Promise<JobResult> {
    return new Promise((settle) => {
      const length = lengthOf(job)
      const waiting = this.#waiting[length]
      if (this.#closed) return settle(failed('the workers are being stopped'))
      waiting.push({ job, onProgress, settle })
      this.#dispatch()
      if (waiting.length > this.#limits[length]) {
        waiting.pop()
        settle(failed(`${waiting.length} computations are waiting already; try again later`))
      }
    })
  }

  /** Fails what runs and what waits, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true
    const tasks = [...this.#threads].flatMap(({ task }) => task ?? [])
    const { short, long } = this.#waiting
    tasks.push(...short.splice(0), ...long.splice(0))
    for (const task of tasks) task.settle(failed('the workers are being stopped'))
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()))
  }

  /** Gauges: threads, and jobs that wait. */
  metrics(): { threads: number; running: number; waiting: number } {
    const running = [...this.#threads].filter(({ task }) => task).length
    const waiting = this.#waiting.short.length + this.#waiting.long.length
    return { threads: this.#threads.size, running, waiting }
  }

  #dispatch(): void {
    for (;;) {
      const thread = this.#idleThread()
      const task = thread && this.#nextTask()
      if (!task) return
      thread.task = task
      thread.worker.ref()
      thread.worker.postMessage(task.job)
    }
  }

  /** Short jobs first; a long one only while another thread stays free of long ones. */
  #nextTask(): Task | undefined {
    const { short, long } = this.#waiting
    if (short.length > 0) return short.shift()
    const makingKeys = [...this.#threads].filter(({ task }) => task && lengthOf(task.job) === 'long')
    return makingKeys.length < this.#size - 1 ? long.shift() : undefined
  }

  #idleThread(): Thread | undefined {
    for (const thread of this.#threads) if (!thread.task) return thread
    const { short, long } = this.#waiting
    const wanted = short.length + long.length > 0
    return wanted && this.#threads.size < this.#size ? this.#start() : undefined
  }

  #start(): Thread {
    const thread: Thread = { worker: new Worker(this.#script), task: undefined }
    this.#threads.add(thread)
    let cause = 'it ended'
    thread.worker.on('message', (message: FromWorker) => this.#onMessage(thread, message))
    thread.worker.on('error', (error) => {
      cause = error.message
    })
    thread.worker.on('exit', () => {
      this.#threads.delete(thread)
      thread.task?.settle(failed(`a worker thread died: ${cause}`))
      if (!this.#closed) this.#dispatch()
    })
    return thread
  }

  #onMessage(thread: Thread, message: FromWorker): void {
    const { task } = thread
    if (!task || this.#closed) return
    if (message.type === 'progress') return task.onProgress(message.text)
    thread.task = undefined
    // An idle pool keeps no process alive.
    thread.worker.unref()
    task.settle(message.result)
    this.#dispatch()
  }
}

function defaultSize(): number {
  return Math.min(MAX_DEFAULT_SIZE, Math.max(1, availableParallelism() - 1))
}

function lengthOf(job: Job): 'short' | 'long' {
  return job.kind === 'create-account' ? 'long' : 'short'
}

function failed(reason: string): JobResult {
  return { kind: 'failed', reason }
}
