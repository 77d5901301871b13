// A worker that a test controls: it announces a job by its name, holds the job until `finish`,
// exits on `die` and throws on `throw`. The name is the user's, or the first envelope's text.

import { BroadcastChannel, parentPort } from 'node:worker_threads'
import type { FromWorker, ToWorker } from '../../../daemons/workers/messages.js'
import type { JobResult } from '../../../protocol/machine/compute.js'

const stage = new BroadcastChannel('scripted-worker')
let current: { readonly name: string; readonly job: ToWorker } | undefined

const tell = (message: FromWorker): void => parentPort?.postMessage(message)

parentPort?.on('message', (job: ToWorker) => {
  const name = job.kind === 'open' ? Buffer.from(job.envelopes[0] ?? '').toString() : job.user
  current = { name, job }
  tell({ type: 'progress', text: `holding ${name}` })
  stage.postMessage(`started ${name}`)
})

stage.onmessage = (event: unknown) => {
  const { data } = event as { data: string }
  if (!current) return
  const { name, job } = current
  if (data === `die ${name}`) process.exit(3)
  if (data === `throw ${name}`) throw new Error('out of cheese')
  if (data !== `finish ${name}`) return
  current = undefined
  tell({ type: 'result', result: resultOf(job) })
}

function resultOf(job: ToWorker): JobResult {
  if (job.kind === 'open') return { kind: 'open', texts: [] }
  return { kind: 'unlock', privateKeys: null }
}
