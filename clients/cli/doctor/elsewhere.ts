// What can be seen of replicas on other machines. Their debug ports are theirs alone, so they are
// seen by STATUS, which every processing replica answers over TLS without a log-in, and which tells
// nothing secret: roles, terms, indices, and who is linked with whom.

import { Client } from '../../client.js'
import type { ClusterStatus } from '../../cluster-status.js'
import type { ConnectOptions } from '../../options.js'
import { whatIsMissing } from '../failure.js'
import { say } from '../texts.js'
import { fine, fault } from './finding.js'
import type { Finding } from './finding.js'
import type { Inspection } from './folder.js'
import type { Told } from './replicas.js'

const STATUS_MS = 2_000

/** STATUS by the name of the processing replica that answered. */
export type Statuses = ReadonlyMap<string, ClusterStatus>

type Trust = Pick<ConnectOptions, 'ca' | 'clusterId' | 'tls'>

async function statusAt(replica: Inspection, trust: Trust): Promise<ClusterStatus | null> {
  const { name, host, port } = replica
  const servers = [{ host, port, slot: Number(name.slice(1)) }]
  const client = new Client({ ...trust, servers, timeoutMs: STATUS_MS })
  try {
    return await client.status()
  } catch {
    return null
  } finally {
    client.abandon('asked enough')
  }
}

/** Asks all processing replicas, each by itself. */
export async function askStatuses(
  replicas: readonly Inspection[],
  trust: Trust,
): Promise<Statuses> {
  const processing = replicas.filter(({ name }) => name.startsWith('p'))
  const asked = processing.map(async (one) => [one.name, await statusAt(one, trust)] as const)
  const answers = await Promise.all(asked)
  return new Map(answers.filter((one): one is [string, ClusterStatus] => one[1] !== null))
}

/** A replica of another machine, by what the processing replicas say. */
export function checkElsewhere({ name, machine }: Inspection, statuses: Statuses): Told {
  const own = statuses.get(name)
  if (own) {
    const reason = whatIsMissing(own) || say('notReady')
    const served = own.ready
      ? fine('ready', name, 'ready')
      : fault('fail', 'ready', name, ['notReady', 'notReadyThere'], { reason, machine })
    return { runs: true, findings: [served] }
  }
  const tier = name.startsWith('p') ? 'processing' : 'persistence'
  const isThis = (one: ClusterStatus['replicas'][number]): boolean =>
    one.tier === tier && one.slot === Number(name.slice(1))
  const seen = [...statuses].map(([by, { replicas }]) => ({ by, state: replicas.find(isThis) }))
  const linked = seen.filter(({ state }) => state?.reachable)
  const [first] = linked
  if (first) {
    const values = { by: linked.map(({ by }) => by).join(' '), role: first.state!.role }
    return { runs: true, findings: [fine('ready', name, 'linked', values)] }
  }
  const by = seen.map((one) => one.by).join(' ')
  const finding =
    by === ''
      ? fault('warn', 'ready', name, ['unknown', 'unknownNext'], { machine })
      : fault('fail', 'ready', name, ['notLinked', 'notLinkedNext'], { by, machine })
  return { runs: false, findings: [finding] }
}

/** Says what of other machines no check has seen. */
export function unseen(others: readonly Inspection[]): Finding[] {
  if (others.length === 0) return []
  const names = others.map(({ name }) => name).join(' ')
  const machines = [...new Set(others.map(({ machine }) => machine))].join(' ')
  return [fine('elsewhere', names, 'elsewhere', { machines })]
}
