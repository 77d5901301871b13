// troca status: the state of every replica, as the connected replica knows it.

import type { CommandModule } from 'yargs'
import type { ClusterStatus } from '../../cluster-status.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure, serves, whatIsMissing } from '../failure.js'
import { paint, result, resultJson, table } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

type Replica = ClusterStatus['replicas'][number]

function row(replica: Replica, committed: number): (string | number)[] {
  const { tier, slot, reachable, role, term, epochSlot, last, lamport } = replica
  const name = `${tier === 'processing' ? 'p' : 's'}${slot}`
  if (!reachable) return [paint.red(name), tier, paint.red('unreachable'), '', '', '', '', '']
  const reign = tier === 'processing' ? `term ${term}` : `epoch ${term}.${epochSlot}`
  const lag = Math.max(0, committed - replica.committed)
  const clock = tier === 'persistence' ? lamport : ''
  return [name, tier, role, reign, last, replica.committed, clock, lag]
}

export function statusTable(status: ClusterStatus): string {
  const committed = Math.max(0, ...status.replicas.map((replica) => replica.committed))
  return table(
    ['replica', 'tier', 'role', 'term/epoch', 'last', 'committed', 'lamport', 'lag'],
    status.replicas.map((replica) => row(replica, committed)),
  )
}

export const status: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'status',
  describe: 'every replica: role, term or epoch, last and committed index, clock, lag',
  async handler(flags) {
    const context = new Context(flags)
    const seen = await withClient(context, {}, (client) =>
      client.status({ timeoutMs: stepMs(context) }),
    )
    if (context.json) resultJson(seen)
    else result(statusTable(seen))
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
