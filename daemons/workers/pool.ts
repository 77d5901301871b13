// Runs jobs on worker threads. Invariants: a thread has at most one job; jobs that search or test
// primes, which take seconds, never hold every thread, so opening and unlocking always go on;
// origins take turns within a kind; the waiting jobs of each kind are bounded. Short kinds mostly
// go first. A thread that dies fails its own job only, and the next job starts another.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Job, JobResult } from '../../protocol/machine/compute.js'
import { FairQueue } from '../../protocol/fair-queue.js'
import type { FromWorker } from './messages.js'

type Kind = Job['kind']
type Limits = Readonly<Record<Kind, number>>

export interface PoolOptions {
  /** Threads, 2 at least; by default one less than the cores, 4 at most. */
  readonly size?: number
  /**
   * Most waiting jobs of each kind; by default 1024 to open, 256 to unlock, 64 of each other kind.
   */
  readonly maxWaiting?: Partial<Limits>
  /** Module of the threads; worker.js by default. */
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
/**
 * Short jobs go first. But one job in this many is of the kind whose turn it is, so that a flood of
 * short jobs starves no long one.
 */
const SHORTEST_FIRST = 4

/** Kinds, the shortest first. */
const preference = [
  'open',
  'unlock',
  'hash-password',
  'change-password',
  'add-key',
  'rotate-key',
  'create-account',
] as const satisfies readonly Kind[]
const defaultLimits: Limits = {
  open: 1024,
  unlock: 256,
  'hash-password': 64,
  'change-password': 64,
  'add-key': 64,
  'rotate-key': 64,
  'create-account': 64,
}

const KEY_KINDS: ReadonlySet<Kind> = new Set(['create-account', 'rotate-key', 'add-key'])
const makesKey = (kind: Kind): boolean => KEY_KINDS.has(kind)

export class WorkerPool {
  readonly #size: number
  readonly #limits: Limits
  readonly #script: URL
  readonly #threads = new Set<Thread>()
  readonly #waiting: Record<Kind, FairQueue<Task>> = {
    open: new FairQueue(),
    unlock: new FairQueue(),
    'hash-password': new FairQueue(),
    'change-password': new FairQueue(),
    'add-key': new FairQueue(),
    'rotate-key': new FairQueue(),
    'create-account': new FairQueue(),
  }
  #dispatched = 0
  #closed = false

  constructor(options: PoolOptions = {}) {
    this.#size = Math.max(2, options.size ?? defaultSize())
    this.#limits = { ...defaultLimits, ...options.maxWaiting }
    this.#script = options.script ?? new URL('./worker.js', import.meta.url)
  }

  /**
   * Runs a job. Never rejects: a job that cannot be done gives `failed`, with the reason. Origins
   * take turns, so `origin` names the party that the job is for.
   */
  run(job: Job, origin = '', onProgress: (text: string) => void = () => {}): Promise<JobResult> {
    if (this.#closed) return Promise.resolve(failed('the workers are being stopped'))
    return new Promise((settle) => {
      const waiting = this.#waiting[job.kind]
      waiting.push(origin, { job, onProgress, settle })
      this.#dispatch()
      if (waiting.size > this.#limits[job.kind]) {
        const last = waiting.dropFromLongest()
        last?.settle(
          failed(`${waiting.size} computations of this kind wait already; try again later`),
        )
      }
    })
  }

  /** Fails all running and waiting jobs, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true
    const running = [...this.#threads].flatMap(({ task }) => task ?? [])
    const waiting = preference.flatMap((kind) => this.#waiting[kind].clear())
    for (const task of [...running, ...waiting]) {
      task.settle(failed('the workers are being stopped'))
    }
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()))
  }

  /** Gauges: threads, threads that compute, and jobs that wait. */
  metrics(): { threads: number; running: number; waiting: number } {
    const running = [...this.#threads].filter(({ task }) => task).length
    const waiting = preference.reduce((sum, kind) => sum + this.#waiting[kind].size, 0)
    return { threads: this.#threads.size, running, waiting }
  }

  #dispatch(): void {
    for (let queue = this.#nextQueue(); queue; queue = this.#nextQueue()) {
      const thread = this.#freeThread()
      const task = thread && queue.shift()
      if (!task) return
      this.#dispatched++
      thread.task = task
      thread.worker.ref()
      thread.worker.postMessage(task.job)
    }
  }

  #nextQueue(): FairQueue<Task> | undefined {
    const keysMayBeMade = this.#makingKeys() < this.#size - 1
    const ready = (kind: Kind): boolean =>
      this.#waiting[kind].size > 0 && (keysMayBeMade || !makesKey(kind))
    const turn = Math.floor(this.#dispatched / SHORTEST_FIRST) % preference.length
    const inTurn = this.#dispatched % SHORTEST_FIRST === SHORTEST_FIRST - 1 && preference[turn]
    const kind = inTurn && ready(inTurn) ? inTurn : preference.find(ready)
    return kind && this.#waiting[kind]
  }

  #makingKeys(): number {
    return [...this.#threads].filter(({ task }) => task && makesKey(task.job.kind)).length
  }

  #freeThread(): Thread | undefined {
    for (const thread of this.#threads) if (!thread.task) return thread
    return this.#threads.size < this.#size ? this.#start() : undefined
  }

  #start(): Thread {
    // A thread needs neither the flags nor the environment of the process.
    const worker = new Worker(this.#script, { execArgv: [], env: {} })
    const thread: Thread = { worker, task: undefined }
    this.#threads.add(thread)
    let cause = 'it ended'
    worker.on('message', (message: FromWorker) => this.#onMessage(thread, message))
    worker.on('error', (error) => {
      cause = error.message
    })
    worker.on('exit', () => {
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
    // An idle thread must not keep the process alive.
    thread.worker.unref()
    task.settle(message.result)
    this.#dispatch()
  }
}

function defaultSize(): number {
  return Math.min(MAX_DEFAULT_SIZE, Math.max(1, availableParallelism() - 1))
}

function failed(reason: string): JobResult {
  return { kind: 'failed', reason }
}
