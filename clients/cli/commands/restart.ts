// troca restart --rolling: restarts the replicas of this machine one after the other; each has caught up
// before the next one stops, and the coordinator comes last.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { progress, result, resultJson } from '../output.js'
import { tellAll } from '../repair/replicas.js'
import { awaitReplica } from '../repair/wait.js'
import { say } from '../repair/texts.js'
import { Supervisor } from '../supervisor.js'

interface Flags extends GlobalFlags {
  rolling: boolean
}

/** Time-out of one replica: a processing replica may have a long log to apply. */
const CATCH_UP_S = 120

/** The replicas that run here, in the order of their restarts. */
async function inOrder(dir: string, supervisor: Supervisor): Promise<string[]> {
  const here = (await supervisor.list()).map(({ name }) => name)
  const told = await tellAll(dir)
  for (const { name, state } of told) {
    if (state === 'ready') continue
    const reason = state ?? 'its debug port does not answer'
    throw new Failure(EXIT.failed, say('notAllReady', { name, reason }))
  }
  const rank = (name: string): number => (name.startsWith('s') ? 0 : 1)
  const leads = (name: string): number =>
    told.find((one) => one.name === name)?.coordinates ? 1 : 0
  return here.sort((a, b) => rank(a) - rank(b) || leads(a) - leads(b) || (a < b ? -1 : 1))
}

export const restart: CommandModule<GlobalFlags, Flags> = {
  command: 'restart',
  describe: 'restart the replicas one after the other, while the cluster serves',
  builder: (yargs) =>
    yargs.option('rolling', {
      ...{ type: 'boolean', default: false },
      describe: 'each has caught up before the next one stops',
    }),
  async handler(flags) {
    const context = new Context({ ...flags, timeout: flags.timeout ?? CATCH_UP_S })
    if (!flags.rolling) throw new Failure(EXIT.usage, say('onlyRolling'))
    const supervisor = new Supervisor(context.dir)
    if (!supervisor.running) throw new Failure(EXIT.failed, say('mustRun'))
    const names = await inOrder(context.dir, supervisor)
    for (const name of names) {
      progress(say('restarting', { name }))
      await supervisor.restartOne(name)
      await awaitReplica(context, name)
    }
    if (context.json) return resultJson({ restarted: names })
    result(say('allRestarted', { names: names.join(' ') }))
  },
}
