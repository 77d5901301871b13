// troca init: makes a cluster (certificates, configuration, empty databases), starts nothing.

import type { CommandModule } from 'yargs'
import { initCluster } from '../cluster.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'

interface Flags extends GlobalFlags {
  '--'?: (string | number)[]
}

export const init: CommandModule<GlobalFlags, Flags> = {
  command: 'init',
  describe: 'make a cluster; what follows -- goes to the program that makes it',
  async handler(flags) {
    const context = new Context(flags)
    await initCluster(context.dir, (flags['--'] ?? []).map(String))
    if (context.json) resultJson({ dir: context.dir })
    else result(context.dir)
  },
}
