// troca verify: compares the log files of all persistence replicas.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { daemonProgram, run } from '../programs.js'

export const verify: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'verify',
  describe: 'audit all logs: chains, and agreement among the replicas',
  async handler(flags) {
    const context = new Context(flags)
    const args = ['--dir', context.dir, ...(context.json ? ['--json'] : [])]
    const { code } = await run(daemonProgram('audit'), args, { show: true })
    if (code !== 0) process.exitCode = 1
  },
}
