// What of an edited cluster file a running replica can take over, and what needs its restart.
// Invariant: nothing that the votes of several replicas rest on changes while a replica runs.

import { isDeepStrictEqual } from 'node:util'
import type { ClusterConfig } from './config.js'

/**
 * Limits that a replica reads each time it needs them. The others are built into what it made at its
 * start, such as the buckets of rates and the table of handshakes, or were told to clients (`credit`).
 */
const WHILE_RUNNING = [
  ...['maxClients', 'connectionsPerAddress', 'handshakeMs', 'loginMs', 'frameMs'],
  ...['clientSilenceMs', 'clientQueue', 'queuedCommands', 'queuedBytes'],
  ...['computations', 'computationsPerAddress', 'registrationsPerMinute', 'minPasswordLength'],
  ...['mailboxBytes', 'keyBits', 'invitations', 'invitationMs'],
] as const

type Limits = ClusterConfig['limits']

export interface Changes {
  /** Limits to use from now on; all others keep their values. */
  readonly limits: Partial<Limits>
  /** null: it stays. */
  readonly level: ClusterConfig['log']['level'] | null
  /** Settings taken over: `limits.maxClients`. */
  readonly taken: readonly string[]
  /** Settings that differ and need a restart. */
  readonly restart: readonly string[]
}

/** Names of the members that differ; sections one by one, with the section's name before. */
function differing(a: object, b: object, before = ''): string[] {
  const [old, now] = [a, b] as [Record<string, unknown>, Record<string, unknown>]
  return Object.keys({ ...old, ...now }).flatMap((name) => {
    const [x, y] = [old[name], now[name]]
    if (isDeepStrictEqual(x, y)) return []
    const sections = [x, y].every((one) => typeof one === 'object' && one && !Array.isArray(one))
    if (sections) return differing(x as object, y as object, `${before}${name}.`)
    return [before + name]
  })
}

export function changesOf(inUse: ClusterConfig, edited: ClusterConfig): Changes {
  const names = differing(inUse, edited)
  const reloads = (name: string): boolean =>
    name === 'log.level' || WHILE_RUNNING.some((limit) => name === `limits.${limit}`)
  const taken = names.filter(reloads)
  const limits = taken.flatMap((name) => {
    const [section, limit] = name.split('.') as [string, keyof Limits]
    return section === 'limits' ? [[limit, edited.limits[limit]]] : []
  })
  return {
    limits: Object.fromEntries(limits) as Partial<Limits>,
    level: taken.includes('log.level') ? edited.log.level : null,
    taken,
    restart: names.filter((name) => !reloads(name)),
  }
}
