// troca up: makes a cluster if there is none, starts every replica, waits until they serve.

import type { CommandModule } from 'yargs'
import { hasCluster, initCluster, startCluster } from '../cluster.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note, result, resultJson } from '../output.js'
import { statusTable } from './status.js'
import { say } from '../texts.js'

/** Six processes on a slow machine. */
const UP_TIMEOUT_S = 30

export const up: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'up',
  describe: 'start the cluster of this folder, making one first if there is none',
  async handler(flags) {
    const context = new Context({ timeout: UP_TIMEOUT_S, ...flags })
    if (!hasCluster(context.dir)) {
      note(say('initialising', { dir: context.dir }))
      await initCluster(context.dir, [])
    }
    const status = await startCluster(context)
    if (context.json) return resultJson(status)
    const { coordinator, replicas } = status
    result(statusTable(status))
    result(say('isUp', { coordinator: `p${coordinator}`, all: replicas.length }))
  },
}
