// troca up: makes a cluster if there is none, starts every replica, and waits until all serve.

import type { CommandModule } from 'yargs'
import { hasCluster, initCluster, startCluster } from '../cluster.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note, result, resultJson } from '../output.js'
import { SHAPE, shapeArgs } from '../shape.js'
import type { Shape } from '../shape.js'
import { statusTable } from './status.js'
import { say } from '../texts.js'

type Flags = GlobalFlags & Shape

/** Longer than other commands: six processes start on a slow machine. */
const UP_TIMEOUT_S = 30

export const up: CommandModule<GlobalFlags, Flags> = {
  command: 'up',
  describe: 'start the cluster of this folder, making one first if there is none',
  builder: (yargs) => yargs.options(SHAPE),
  async handler(flags) {
    const context = new Context({ ...flags, timeout: flags.timeout ?? UP_TIMEOUT_S })
    if (!hasCluster(context.dir)) {
      note(say('initialising', { dir: context.dir }))
      await initCluster(context.dir, shapeArgs(flags))
    }
    const status = await startCluster(context)
    if (context.json) return resultJson(status)
    const { coordinator, replicas } = status
    result(statusTable(status))
    result(say('isUp', { coordinator: `p${coordinator}`, all: replicas.length }))
  },
}
