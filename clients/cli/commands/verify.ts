// troca verify: audits the log files of this machine's persistence replicas, and compares them. Files
// of other machines that lie here are copies, and are left out.

import type { CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { MACHINE, findHere, noteMachine, type MachineFlags } from '../machine.js'
import { daemonProgram, run } from '../programs.js'
import { say } from '../texts.js'

interface Flags extends MachineFlags {
  at?: number | undefined
}

export const verify: CommandModule<GlobalFlags, Flags> = {
  command: 'verify',
  describe: 'audit the logs of this machine: chains, and agreement among the replicas',
  builder: (yargs) =>
    yargs.option('machine', MACHINE).option('at', {
      ...{ type: 'number', requiresArg: true },
      describe: 'show the chain at this entry, to compare it with that of another machine',
    }),
  async handler(flags) {
    const context = new Context(flags)
    const { dir, json } = context
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, say('noCluster', { dir }))
    const here = await findHere(context, flags.machine)
    noteMachine(here)
    const names = here.own.map(({ name }) => name).join(',')
    const at = flags.at === undefined ? [] : ['--at', String(flags.at)]
    const args = ['--dir', dir, '--replicas', names, ...at, ...(json ? ['--json'] : [])]
    const { code } = await run(daemonProgram('audit'), args, { show: true })
    if (code !== 0) process.exitCode = 1
  },
}
