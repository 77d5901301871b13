// The adversaries: each has a port to connect to, a HELLO and the conversations that follow. They
// play every peer that a daemon may meet, from a stranger to a replica with a stolen key.

import { readFileSync } from 'node:fs'
import { WIRE_VERSION } from '../../../protocol/schema/shared.js'
import { pathsOf, readConfig } from '../../../daemons/provision/config.js'
import { nameOf, uriOf, type Replica } from '../../../daemons/net/identity.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Conversation } from '../frames.js'
import { conversationOf } from '../rogue.js'

export type Sort =
  /** Sends no HELLO, or another frame in its place. */
  | 'stranger'
  /** A client that never logs in. */
  | 'client'
  /** A client that has logged in. */
  | 'user'
  /** Claims to be a replica without its certificate, or a client at a persistence replica. */
  | 'impostor'
  /** A replica with a valid certificate. */
  | 'replica'

export interface Adversary {
  readonly sort: Sort
  /** Adversary and target, for reports. */
  readonly name: string
  readonly port: number
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string }
  readonly hello: Message | null
  readonly conversations: readonly Conversation[]
}

const EVERYTHING: readonly Conversation[] = [
  'handshake',
  'client',
  'ring',
  'logService',
  'persistence',
]
const LANES = ['main', 'bulk'] as const

/** As in daemons/net/handshake.ts: the higher slot dials, and processing dials persistence. */
function dials(one: Replica, other: Replica): boolean {
  return one.role === other.role ? one.slot > other.slot : one.role === 'processing'
}

/**
 * All adversaries; `stolen` names replicas whose keys are used, `down` replicas that do not run.
 */
export function adversaries(
  configFile: string,
  stolen: readonly string[],
  down: readonly string[],
): Adversary[] {
  const config = readConfig(configFile)
  const { clusterId, historyId } = config
  const ca = readFileSync(pathsOf(config, '').ca, 'utf8')
  const hello = (
    role: 'client' | Replica['role'],
    slot: number,
    lane: 'main' | 'bulk',
  ): Message => {
    const versions = { minVersion: WIRE_VERSION, maxVersion: WIRE_VERSION }
    return { type: 'HELLO', ...versions, clusterId, historyId, role, slot, boot: 'fa11ed', lane }
  }
  const thieves = config.replicas.filter((one) => stolen.includes(nameOf(one)))
  const targets = config.replicas.filter((one) => !down.includes(nameOf(one)))
  return targets.flatMap((target): Adversary[] => {
    const { port } = target
    const at = (who: string): string => `${who} to ${nameOf(target)}`
    const client = { port, tls: { ca }, hello: hello('client', 0, 'main') }
    const serves = target.role === 'processing'
    const asReplica = { ...client, hello: hello(serves ? 'processing' : 'persistence', 3, 'main') }
    return [
      { ...client, sort: 'stranger', name: at('stranger'), hello: null, conversations: EVERYTHING },
      { ...asReplica, sort: 'impostor', name: at('impostor'), conversations: EVERYTHING },
      ...(serves
        ? (['client', 'user'] as const).map((sort): Adversary => {
            return {
              ...client,
              sort,
              name: at(sort),
              conversations: ['client', 'client', 'handshake'],
            }
          })
        : [
            { ...client, sort: 'impostor', name: at('client'), conversations: EVERYTHING } as const,
          ]),
      ...thieves
        .filter((thief) => dials(thief, target))
        .flatMap((thief) =>
          LANES.filter((lane) => lane === 'main' || thief.role !== target.role).map(
            (lane): Adversary => ({
              sort: 'replica',
              name: `${uriOf(clusterId, thief)} ${lane} to ${nameOf(target)}`,
              port,
              tls: { ca, ...credentials(config, nameOf(thief)) },
              hello: hello(thief.role, thief.slot, lane),
              conversations: [conversationOf(thief.role, target.role)],
            }),
          ),
        ),
    ]
  })
}

function credentials(config: ReturnType<typeof readConfig>, name: string) {
  const { certificate, key } = pathsOf(config, name)
  return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}
