// The thread of the attackers, apart from the honest clients, so that it takes none of their time.

import { setMaxListeners } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { ATTACKS, type AttackName, type Outcome, type Scene } from './attacks.js'

export interface Orders extends Omit<Scene, 'stopped'> {
  readonly attacks: readonly AttackName[]
}

const { attacks, ...scene } = workerData as Orders
const stop = new AbortController()
parentPort!.once('message', () => stop.abort())
const stopped = stop.signal
setMaxListeners(0, stopped)
const outcomes = await Promise.all(
  attacks.map(async (name) => {
    const outcome: Outcome = new Map()
    await ATTACKS[name]({ ...scene, stopped }, outcome)
    return [name, outcome] as const
  }),
)
parentPort!.postMessage(new Map(outcomes))
parentPort!.close()
