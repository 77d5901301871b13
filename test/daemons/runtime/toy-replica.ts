// A toy machine behind a real driver and real TLS links, for tests of the runtime. The machine
// records its inputs and answers those that a test chooses. Tests wait for events, never for a
// time.

import { Driver } from '../../../daemons/runtime/driver.js'
import type { Credentials } from '../../../daemons/net/credentials.js'
import {
  issue,
  makeAuthority,
  type Authority,
  type Validity,
} from '../../../daemons/provision/certificates.js'
import type { Replica } from '../../../daemons/net/identity.js'
import { BOUNDS, type LinkBounds } from '../../../daemons/net/bounds.js'
import { Links } from '../../../daemons/net/links.js'
import type { LogFields } from '../../../daemons/log/log.js'
import type { Effect, Input, Machine, Now } from '../../../protocol/machine/machine.js'

export const CLUSTER = 'troca-toy'

/** Events in order, with promises of events to come. */
export class Record<T> {
  readonly all: T[] = []
  readonly #waiting: { wanted: (one: T) => boolean; resolve: (one: T) => void }[] = []

  add(one: T): void {
    this.all.push(one)
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.wanted(one)) waiting.resolve(one)
      else this.#waiting.push(waiting)
    }
  }

  /** The first event that fits, among past and future ones. */
  find(wanted: (one: T) => boolean): Promise<T> {
    const there = this.all.find(wanted)
    if (there !== undefined) return Promise.resolve(there)
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }))
  }

  /** The next event that fits, among future ones only. */
  next(wanted: (one: T) => boolean): Promise<T> {
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }))
  }
}

export class ToyMachine implements Machine {
  readonly inputs = new Record<Input>()
  /** Effects of an input. */
  react: (input: Input) => Effect[] = () => []

  step(input: Input, _now: Now): Effect[] {
    if (input.type === 'tick') return []
    const effects = this.react(input)
    this.inputs.add(input)
    return effects
  }

  durations: NonNullable<Machine['durations']> = () => ({})

  readonly debugWords = {}

  metrics(): { toy: number } {
    return { toy: 1 }
  }

  of<K extends Input['type']>(type: K): Extract<Input, { type: K }>[] {
    return this.inputs.all.filter(
      (input): input is Extract<Input, { type: K }> => input.type === type,
    )
  }

  first<K extends Input['type']>(type: K): Promise<Extract<Input, { type: K }>> {
    return this.inputs.find((input) => input.type === type) as Promise<Extract<Input, { type: K }>>
  }
}

let authority: Promise<Authority> | undefined

export function ownAuthority(): Promise<Authority> {
  authority ??= makeAuthority(CLUSTER)
  return authority
}

export async function credentialsOf(
  replica: Replica,
  by?: Authority,
  valid?: Validity,
): Promise<Credentials> {
  const own = await ownAuthority()
  const issued = await issue(by ?? own, CLUSTER, replica, ['127.0.0.1'], valid)
  return { ca: own.certificate.toString('pem'), ...issued }
}

export interface Toy {
  readonly machine: ToyMachine
  readonly links: Links
  readonly driver: Driver
  readonly logged: Record<{ event: string; fields: LogFields }>
  readonly port: number
  stop(): void
}

/** Starts a toy on a free loopback port; it dials those of `others` that `dials` assigns to it. */
export async function startToy(
  self: Replica,
  others: readonly (Replica & { port: number })[] = [],
  options: {
    bounds?: Partial<LinkBounds>
    credentials?: Credentials | null
    boot?: string
    userOf?: () => string | null
  } = {},
): Promise<Toy> {
  const machine = new ToyMachine()
  const logged = new Record<{ event: string; fields: LogFields }>()
  const log = (_level: string, event: string, fields: LogFields) => logged.add({ event, fields })
  const driver = new Driver(machine, {
    send: (link, frame) => links.send(link, frame),
    close: (link, reason) => links.close(link, reason),
    hold: (link, held) => links.hold(link, held),
    admit: (link) => links.admit(link),
    log,
    stopped: () => {},
    halt: (code) => logged.add({ event: 'halt', fields: { code } }),
  })
  const given = options.credentials
  const credentials = given === undefined ? await credentialsOf(self) : given
  const sizes = { processing: 3, persistence: 3 }
  const links = new Links(
    {
      self: {
        ...self,
        ...sizes,
        clusterId: CLUSTER,
        historyId: 'first',
        boot: options.boot ?? 'b1',
        tls: credentials !== null,
      },
      address: { host: '127.0.0.1', port: 0 },
      replicas: others.map((other) => ({ ...other, host: '127.0.0.1' })),
      credentials,
      bounds: { ...BOUNDS, ...options.bounds },
      coordinator: () => 2,
      userOf: options.userOf ?? (() => 'carol'),
    },
    {
      up: (link, peer) => driver.feed({ type: 'link-up', link, peer }),
      message: (link, message) => driver.feed({ type: 'message', link, message }),
      down: (link, reason) => driver.feed({ type: 'link-down', link, reason }),
      log,
    },
  )
  await links.start()
  driver.start()
  links.dial()
  const stop = () => {
    driver.stop()
    links.stop('the test is over')
  }
  return { machine, links, driver, logged, port: links.port, stop }
}
