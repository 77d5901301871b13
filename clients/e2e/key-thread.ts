// The thread for a client's private keys, started by the first job. The thread keeps the process
// alive only while a job runs.

import { Worker } from 'node:worker_threads'
import { clientError } from '../errors.js'
import type { Job, JobOf, Results } from './jobs.js'
import type { FromThread } from './worker.js'

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly onProgress: (text: string) => void
}

export class KeyThread {
  #worker: Worker | null = null
  readonly #waiting = new Map<number, Waiting>()
  #next = 1

  /** Rejects with CLOSED if the thread ends first, and with NO_KEYS if the job fails. */
  run<K extends Job['kind']>(
    job: JobOf<K>,
    onProgress: (text: string) => void = () => {},
  ): Promise<Results[K]> {
    return new Promise<Results[K]>((resolve, reject) => {
      this.#worker ??= this.#start()
      const id = this.#next++
      this.#waiting.set(id, {
        resolve: (result) => resolve(result as Results[K]),
        reject,
        onProgress,
      })
      this.#worker.ref()
      this.#worker.postMessage({ id, job })
    })
  }

  close(): void {
    void this.#worker?.terminate()
  }

  #start(): Worker {
    // The thread needs neither the flags nor the environment of the process.
    const script = new URL('./worker.js', import.meta.url)
    const worker = new Worker(script, { execArgv: [], env: {} })
    let cause = 'the client was closed'
    worker.on('message', (message: FromThread) => this.#onMessage(worker, message))
    worker.on('error', (error) => {
      cause = error.message
    })
    worker.on('exit', () => {
      this.#worker = null
      const waiting = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const { reject } of waiting) reject(clientError('CLOSED', cause, true))
    })
    return worker
  }

  #onMessage(worker: Worker, message: FromThread): void {
    const waiting = this.#waiting.get(message.id)
    if (message.type === 'progress') return waiting?.onProgress(message.text)
    this.#waiting.delete(message.id)
    if (this.#waiting.size === 0) worker.unref()
    if (message.type === 'done') waiting?.resolve(message.result)
    else waiting?.reject(clientError('NO_KEYS', message.reason, true))
  }
}
