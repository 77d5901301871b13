// One thread of a campaign: runs its plans one after another.

import { parentPort } from 'node:worker_threads'
import { load } from '../planted/plant.js'
import type { Task } from './pool.js'
import { failed, runPlan, type Result } from './result.js'

async function run({ plan, planted }: Task): Promise<Result> {
  const workload = planted === undefined ? undefined : (await load(planted))(plan.workload)
  return runPlan(plan, workload)
}

parentPort!.on('message', async (task: Task) => {
  const result = await run(task)
  const { plan, control } = task
  const fails = failed(result) && control === true && failed(runPlan(plan))
  parentPort!.postMessage(fails ? { ...result, violation: null } : result)
})

// A message that comes before the listener may be lost where loaders take their time.
parentPort!.postMessage('ready')
