// troca log-level p1 debug: another level for the log of one replica, without a restart.

import type { CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { repair } from '../repair/program.js'
import { say } from '../repair/texts.js'
import { say as sayCommon } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  level: string
}

export const logLevel: CommandModule<GlobalFlags, Flags> = {
  command: 'log-level <name> <level>',
  describe: 'change what a replica logs: debug, info, warn or error',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true, describe: 'p1 ..., s1 ...' })
      .positional('level', {
        ...{ type: 'string', demandOption: true },
        choices: ['debug', 'info', 'warn', 'error'],
      }),
  async handler(flags) {
    const context = new Context(flags)
    const { dir } = context
    const { name, level } = flags
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, sayCommon('noCluster', { dir }))
    const set = await repair<object>('log-level', ['--dir', dir, '--name', name, '--level', level])
    if (context.json) return resultJson(set)
    result(say('levelSet', { name, level }))
  },
}
