// troca down: drains and stops the replicas of this machine, then the pm2 of the folder.

import type { CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { MACHINE, findHere, namesOf, type MachineFlags } from '../machine.js'
import { clearProgress, note, progress, result, resultJson } from '../output.js'
import { Supervisor } from '../supervisor.js'
import { say } from '../texts.js'
import { sayMachine } from '../machine-texts.js'

export const down: CommandModule<GlobalFlags, MachineFlags> = {
  command: 'down',
  describe: 'stop the replicas of this machine',
  builder: (yargs) => yargs.option('machine', MACHINE),
  async handler(flags) {
    const context = new Context(flags)
    progress(say('stopping'))
    const stopped = await new Supervisor(context.dir).stop()
    clearProgress()
    if (stopped?.answered === false) note(say('pm2Silent'))
    const killed = stopped?.killed ?? []
    for (const { name, pid } of killed) note(say('killedLate', { name, pid }))
    if (context.json) return resultJson({ stopped: stopped !== null, killed })
    const here = stopped && hasCluster(context.dir) ? await findHere(context, flags.machine) : null
    if (here === null || here.others.length === 0) {
      return result(say(stopped ? 'stopped' : 'notRunning'))
    }
    const { machine, own, others } = here
    result(sayMachine('stoppedHere', { machine, names: namesOf(own), others: namesOf(others) }))
  },
}
