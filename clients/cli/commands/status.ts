// troca status: the state of every replica, as the connected processing replica knows it. Where none
// answers, the replicas of this machine are asked by their debug ports.

import type { CommandModule } from 'yargs'
import type { ClusterStatus } from '../../cluster-status.js'
import { hasCluster, replicasOf, type ReplicaPorts } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { askDebugPort } from '../debug-port.js'
import { EXIT, Failure, serves, whatIsMissing } from '../failure.js'
import { MACHINE, findHere, type MachineFlags } from '../machine.js'
import { paint, result, resultJson, table } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'
import { sayMachine } from '../machine-texts.js'

type Replica = ClusterStatus['replicas'][number]

const nameOf = ({ tier, slot }: Replica): string => `${tier === 'processing' ? 'p' : 's'}${slot}`

function row(replica: Replica, committed: number): (string | number)[] {
  const { tier, reachable, role, term, epochSlot, last, lamport } = replica
  const name = nameOf(replica)
  if (!reachable) return [paint.red(name), tier, paint.red('unreachable'), '', '', '', '', '']
  const reign = tier === 'processing' ? `term ${term}` : `epoch ${term}.${epochSlot}`
  const lag = Math.max(0, committed - replica.committed)
  const clock = tier === 'persistence' ? lamport : ''
  return [name, tier, role, reign, last, replica.committed, clock, lag]
}

/** `machines`: by replica; a column of them is shown if there are several. */
export function statusTable(
  status: ClusterStatus,
  machines: ReadonlyMap<string, string> = new Map(),
): string {
  const committed = Math.max(0, ...status.replicas.map((replica) => replica.committed))
  const several = new Set(machines.values()).size > 1
  const where = (text: string): string[] => (several ? [text] : [])
  return table(
    [
      ...['replica', ...where(sayMachine('headMachine'))],
      ...['tier', 'role', 'term/epoch', 'last', 'committed', 'lamport', 'lag'],
    ],
    status.replicas.map((replica) => {
      const [name, ...cells] = row(replica, committed)
      return [name!, ...where(machines.get(nameOf(replica)) ?? ''), ...cells]
    }),
  )
}

/** Machines by replica, where the folder has the cluster file. */
export function machinesIn(dir: string): Map<string, string> {
  const replicas = hasCluster(dir) ? replicasOf(dir) : []
  return new Map(replicas.map(({ name, machine }) => [name, machine]))
}

/** "s1 not a member of an active view", by the debug port. */
async function stateOf({ name, debugHost, debugPort }: ReplicaPorts): Promise<string> {
  const answer = await askDebugPort(debugPort, 'stat', debugHost).catch(() => '')
  const state = /^state: (.*)$/m.exec(answer)?.[1]
  return `${name} ${state ?? 'does not answer'}`
}

/** Adds to a failure what the debug ports of this machine say. */
async function withOwnStates(failure: unknown, context: Context, flag?: string): Promise<unknown> {
  if (!(failure instanceof Failure) || !hasCluster(context.dir)) return failure
  if (failure.exitCode !== EXIT.unreachable && failure.exitCode !== EXIT.timedOut) return failure
  const here = await findHere(context, flag).catch(() => null)
  if (!here || here.others.length === 0) return failure
  const states = (await Promise.all(here.own.map(stateOf))).join(', ')
  const text = `${failure.message} ${sayMachine('ownOnly', { states })}`
  return new Failure(failure.exitCode, text, failure.facts)
}

export const status: CommandModule<GlobalFlags, MachineFlags> = {
  command: 'status',
  describe: 'every replica: role, term or epoch, last and committed index, clock, lag',
  builder: (yargs) => yargs.option('machine', MACHINE),
  async handler(flags) {
    const context = new Context(flags)
    const seen = await withClient(context, {}, (client) =>
      client.status({ timeoutMs: stepMs(context) }),
    ).catch(async (error: unknown) => {
      throw await withOwnStates(error, context, flags.machine)
    })
    if (context.json) resultJson(seen)
    else result(statusTable(seen, machinesIn(context.dir)))
    const missing = whatIsMissing(seen)
    if (!serves(seen)) {
      const text = `${say('notReady')}. ${missing}`.trim()
      if (context.json) process.exitCode = EXIT.unreachable
      else throw new Failure(EXIT.unreachable, text)
    } else if (!context.json) {
      result(missing ? `${say('ready')}. ${missing}` : say('ready'))
    }
  },
}
