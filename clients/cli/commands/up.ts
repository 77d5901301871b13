// troca up: makes a cluster if there is none, starts every replica of this machine, and waits until
// the cluster serves, or until it is other machines that are missing.

import type { CommandModule } from 'yargs'
import { initCluster, startCluster } from '../cluster.js'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { whatIsMissing } from '../failure.js'
import { MACHINE, findHere, namesOf, noteMachine, type MachineFlags } from '../machine.js'
import { note, result, resultJson } from '../output.js'
import { SHAPE, shapeArgs } from '../shape.js'
import type { Shape } from '../shape.js'
import { machinesIn, statusTable } from './status.js'
import { say } from '../texts.js'
import { sayMachine } from '../machine-texts.js'

type Flags = MachineFlags & Shape

/** Longer than other commands: six processes start on a slow machine. */
const UP_TIMEOUT_S = 30

export const up: CommandModule<GlobalFlags, Flags> = {
  command: 'up',
  describe: 'start the replicas of this machine, making a cluster first if there is none',
  builder: (yargs) => yargs.options(SHAPE).option('machine', MACHINE),
  async handler(flags) {
    const context = new Context({ ...flags, timeout: flags.timeout ?? UP_TIMEOUT_S })
    if (!hasCluster(context.dir)) {
      note(say('initialising', { dir: context.dir }))
      await initCluster(context.dir, shapeArgs(flags))
    }
    const here = await findHere(context, flags.machine)
    noteMachine(here)
    const { status, serves } = await startCluster(context, here)
    if (context.json) return resultJson(serves ? status : { ready: false, status })
    if (!status || !serves) {
      const names = namesOf(here.own)
      const missing = status ? whatIsMissing(status) : ''
      return result(sayMachine('isUpHere', { machine: here.machine, names, missing }).trim())
    }
    const { coordinator, replicas } = status
    result(statusTable(status, machinesIn(context.dir)))
    const up = say('isUp', { coordinator: `p${coordinator}`, all: replicas.length })
    const missing = whatIsMissing(status)
    result(missing ? `${up}. ${missing}` : up)
  },
}
