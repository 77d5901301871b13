// C6 rests on the weight of a claim: clients that ask for orders weigh most, then clients that are
// connected, then clients that have just left. By a wrong weight a replica that is of no use to
// anybody topples a coordinator that others need, or keeps its lease from them: for some seconds, or
// for as long as clients come and go, so no bound on service shows it.

import { ERRORS } from '../../../protocol/errors.js'
import { TIMINGS } from '../../../protocol/machine/config.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import {
  WEIGHT_ASKING,
  WEIGHT_CONNECTED,
  WEIGHT_LEFT,
} from '../../../protocol/processing/context.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { GAP_MS, type Check } from './check.js'
import type { Demand } from './demand.js'
import { PerBoot } from './per-boot.js'

const { suspect, coordinatorPatience } = TIMINGS

export class ClaimWeightCheck implements Check {
  readonly #demand: Demand
  /**
   * When a replica last refused a client's command, last claimed a weight of clients that ask for
   * nothing, and last made a step.
   */
  readonly #perBoot = new PerBoot(() => ({ refused: -Infinity, lightAt: -Infinity, stepped: 0 }))

  constructor(demand: Demand) {
    this.#demand = demand
  }

  started(host: Host): void {
    this.#perBoot.forget(host)
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'HOME_HEARTBEAT' || message.type === 'CLAIM') {
      this.#weighs(from, message.weight)
    }
    if (to.role !== 'client' || message.type !== 'ERROR') return
    // Only a refusal of a command that is being submitted names what is reachable.
    const names = message.code === ERRORS.NOT_READY.code && message.text.includes('reachable')
    if (names) this.#perBoot.of(from).refused = from.steppedAt
  }

  #weighs(from: Host, weight: number): void {
    const { clients, open, clientAt, waitedAt } = this.#demand.of(from)
    const boot = this.#perBoot.of(from)
    const { refused, lightAt, stepped } = boot
    const now = from.steppedAt
    if (weight >= WEIGHT_CONNECTED && weight < WEIGHT_ASKING) boot.lightAt = now
    if (now - stepped > GAP_MS) return
    const told = `${from.name} weighs ${weight}`
    const alone = clients.size > 0 ? 0 : now - clientAt
    expect(weight < WEIGHT_CONNECTED || alone < suspect + 1, 'C6', () => {
      return `${told}, and no client has been connected for ${alone} ms`
    })
    expect(weight >= WEIGHT_LEFT || now - refused > coordinatorPatience - 1, 'C6', () => {
      return `${told}; ${now - refused} ms ago it refused a client's command`
    })
    const asks = weight >= WEIGHT_ASKING || (weight >= WEIGHT_LEFT && weight < WEIGHT_CONNECTED)
    const idle = open.size > 0 ? 0 : now - waitedAt
    expect(weight < WEIGHT_ASKING || open.size > 0 || waitedAt >= lightAt, 'C6', () => {
      return `${told} again; no client has waited for an order since it weighed less`
    })
    expect(!asks || idle < coordinatorPatience + 1, 'C6', () => {
      return `${told}; no client has waited for an order for ${idle} ms`
    })
  }

  stepped(host: Host): void {
    if (host.role === 'processing') this.#perBoot.of(host).stepped = host.steppedAt
  }
}
