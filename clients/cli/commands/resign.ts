// troca resign p1: the coordinator lets another replica lead, without a restart.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { tellAll } from '../repair/replicas.js'
import { say } from '../repair/texts.js'
import { Supervisor } from '../supervisor.js'

interface Flags extends GlobalFlags {
  name: string
}

const POLL_MS = 100

const coordinatorOf = async (dir: string): Promise<string | undefined> =>
  (await tellAll(dir)).find(({ coordinates }) => coordinates)?.name

export const resign: CommandModule<GlobalFlags, Flags> = {
  command: 'resign <name>',
  describe: 'let another processing replica coordinate',
  builder: (yargs) =>
    yargs.positional('name', { type: 'string', demandOption: true, describe: 'the coordinator' }),
  async handler(flags) {
    const context = new Context(flags)
    const { dir } = context
    const { name } = flags
    const own = (await new Supervisor(dir).list()).find((one) => one.name === name && one.pid > 0)
    if (!own) throw new Failure(EXIT.failed, say('notHere', { name }))
    const leads = await coordinatorOf(dir)
    if (leads !== name)
      throw new Failure(EXIT.failed, say('leadsNot', { name, leads: leads ?? '-' }))
    process.kill(own.pid, 'SIGUSR2')
    for (;;) {
      const now = await coordinatorOf(dir)
      if (now !== undefined && now !== name) {
        if (context.json) return resultJson({ resigned: name, coordinator: now })
        return result(say('resigned', { name, now }))
      }
      if (context.leftMs <= 1) throw new Failure(EXIT.timedOut, say('nobodyLeads', { name }))
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  },
}
