// troca down: drains and stops every replica, then the cluster's pm2.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { clearProgress, progress, result, resultJson } from '../output.js'
import { Supervisor } from '../supervisor.js'
import { say } from '../texts.js'

export const down: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'down',
  describe: 'stop the cluster of this folder',
  async handler(flags) {
    const context = new Context(flags)
    progress(say('stopping'))
    const stopped = await new Supervisor(context.dir).stop()
    clearProgress()
    if (context.json) resultJson({ stopped })
    else result(say(stopped ? 'stopped' : 'notRunning'))
  },
}
