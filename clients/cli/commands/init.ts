// troca init: makes a cluster (certificates, configuration, empty databases), starts nothing.

import type { CommandModule } from 'yargs'
import { initCluster } from '../cluster.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'
import { SHAPE, shapeArgs } from '../shape.js'
import type { Shape } from '../shape.js'

type Flags = GlobalFlags & Shape

export const init: CommandModule<GlobalFlags, Flags> = {
  command: 'init',
  describe: 'make a cluster: certificates, configuration, empty files; start nothing',
  builder: (yargs) => yargs.options(SHAPE),
  async handler(flags) {
    const context = new Context(flags)
    await initCluster(context.dir, shapeArgs(flags))
    if (context.json) resultJson({ dir: context.dir })
    else result(context.dir)
  },
}
