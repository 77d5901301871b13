// troca service: systemd units for the replicas of this machine.

import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { MACHINE, findHere, noteMachine, type MachineFlags } from '../machine.js'
import { result, resultJson } from '../output.js'
import { say } from '../texts.js'
import { unitOf, type Unit } from '../units.js'
import { sayMachine } from '../machine-texts.js'
import { NO_COMMAND } from '../help.js'

interface Flags extends MachineFlags {
  user: string
  prefix: string
}

async function unitsOf(flags: Flags): Promise<{ context: Context; units: Unit[] }> {
  const context = new Context(flags)
  const { dir } = context
  if (!hasCluster(dir)) throw new Failure(EXIT.failed, say('noCluster', { dir }))
  const here = await findHere(context, flags.machine)
  noteMachine(here)
  const { user, prefix } = flags
  return { context, units: here.own.map((replica) => unitOf(replica, { dir, user, prefix })) }
}

const options = (yargs: Argv<GlobalFlags>): Argv<Flags> =>
  yargs
    .option('machine', MACHINE)
    .option('user', {
      ...{ type: 'string', default: userInfo().username },
      describe: 'user that runs the replicas, and owns the folder',
    })
    .option('prefix', {
      ...{ type: 'string', default: 'troca' },
      describe: 'start of the names, if there are several clusters: troca-p1.service',
    })

const print: CommandModule<GlobalFlags, Flags> = {
  command: 'print',
  describe: 'print the units',
  builder: options,
  async handler(flags) {
    const { context, units } = await unitsOf(flags)
    if (context.json) return resultJson({ units })
    for (const { name, text } of units) result(`# ${name}\n${text}`)
  },
}

const install: CommandModule<GlobalFlags, Flags & { 'unit-dir': string }> = {
  command: 'install',
  describe: 'write the units; says how to enable them',
  builder: (yargs) =>
    options(yargs).option('unit-dir', {
      ...{ type: 'string', default: '/etc/systemd/system' },
      describe: 'folder of the units',
    }),
  async handler(flags) {
    const { context, units } = await unitsOf(flags)
    const folder = flags['unit-dir']
    for (const { name, text } of units) {
      const path = join(folder, name)
      try {
        mkdirSync(folder, { recursive: true })
        writeFileSync(path, text, { mode: 0o644 })
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
        throw new Failure(EXIT.failed, say('cannotWrite', { path, reason }))
      }
    }
    const names = units.map(({ name }) => name)
    if (context.json) return resultJson({ folder, names })
    result(sayMachine('unitsWritten', { folder, names: names.join(' ') }))
  },
}

export const service: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'service',
  describe: 'systemd units for the replicas of this machine',
  builder: (yargs: Argv<GlobalFlags>) =>
    yargs.command(print).command(install).demandCommand(1, 1, NO_COMMAND, undefined),
  handler: () => {},
}
