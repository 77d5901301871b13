// The connections that a replica dials: one dialler for each target replica and lane.

import type { Socket } from 'node:net'
import type { Credentials } from './credentials.js'
import { Dialler } from './dialler.js'
import type { Roster } from './roster.js'
import { dials } from './handshake.js'
import type { Self } from './handshake.js'
import { nameOf } from './identity.js'
import type { Replica } from './identity.js'
import type { LogFields } from '../log/log.js'
import type { LogLevel } from '../../protocol/machine/machine.js'

export interface OutgoingPort {
  credentials(): Credentials | null
  connected(dialler: Dialler, socket: Socket): void
  log(level: LogLevel, event: string, fields: LogFields): void
}

export class Outgoing {
  readonly #diallers: readonly Dialler[]

  constructor(self: Self, replicas: readonly Replica[], roster: Roster, port: OutgoingPort) {
    const targets = replicas.filter((replica) => dials(self, replica))
    this.#diallers = targets.flatMap(({ role, slot }) => {
      const lanes = role === self.role ? (['main'] as const) : (['main', 'bulk'] as const)
      const target = { role, slot }
      return lanes.map(
        (lane) =>
          new Dialler({
            ...{ target, lane },
            address: () => roster.addressOf(target),
            uri: () => roster.uriOf(target),
            credentials: () => port.credentials(),
            connected: (dialler, socket) => port.connected(dialler, socket),
            failed: ({ address, lastError: reason }) =>
              port.log('warn', 'dial-failed', { peer: nameOf(target), lane, address, reason }),
          }),
      )
    })
  }

  dial(): void {
    for (const dialler of this.#diallers) dialler.dial()
  }

  /** Dialled replicas without a link, each with the reason. */
  unreached(): string[] {
    return this.#diallers
      .filter(({ lastError }) => lastError !== '')
      .map(({ target, lane, lastError }) => `${nameOf(target)} ${lane}: ${lastError}`)
  }

  /** Tries that led to no link, by dialled replica. */
  get failed(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { target, failed } of this.#diallers) {
      counts.set(nameOf(target), (counts.get(nameOf(target)) ?? 0) + failed)
    }
    return counts
  }

  stop(): void {
    for (const dialler of this.#diallers) dialler.stop()
  }
}
