// troca down: drains and stops every replica, then the cluster's pm2.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { clearProgress, note, progress, result, resultJson } from '../output.js'
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
    if (stopped?.answered === false) note(say('pm2Silent'))
    for (const { name, pid } of stopped?.killed ?? []) note(say('killedLate', { name, pid }))
    if (context.json) resultJson({ stopped: stopped !== null, killed: stopped?.killed ?? [] })
    else result(say(stopped ? 'stopped' : 'notRunning'))
  },
}
