// A whole cluster on virtual time: hosts, their files, the network between them, the checkers.
// Within a tier the higher slot dials the lower one; processing dials persistence on two lanes.

import type { Input, Machine } from '../../protocol/machine/machine.js'
import type { Slot } from '../../protocol/slots.js'
import { TIMINGS, type PersistenceConfig } from '../../protocol/machine/config.js'
import type { DurableState, Transaction } from '../../protocol/machine/storage.js'
import type { Message, MessageName } from '../../protocol/messages/catalogue.js'
import { checksOf } from './checks/all.js'
import type { Check } from './checks/check.js'
import type { End } from './connection.js'
import { Coverage } from './coverage.js'
import { Disk } from './disk.js'
import { freeze, travel } from './frames.js'
import { asPlain } from './held.js'
import { History } from './history.js'
import { Host, type Start, type Surroundings } from './host.js'
import { Narrator } from './narrator.js'
import { Network } from './network.js'
import { Random } from './random.js'
import { SnapshotDisk } from './snapshot-disk.js'
import type { Setting, Sizes } from './setting.js'
import { ORIGIN } from './origin.js'
import { Timeline } from './timeline.js'
import type { Transcript } from './transcript.js'
import { Violation } from './violation.js'

/** The machines that run in the hosts: the product's, machines with a planted bug, or stand-ins. */
export interface Machines {
  persistence(config: PersistenceConfig): Machine
  processing(slot: Slot, start: Start, setting: Setting): Machine
  client?(slot: Slot, start: Start, dial: (to: Slot) => void, sizes: Sizes): Machine
  /** From now on, or not any more, this replica computes wrong bytes. */
  corrupt?(slot: Slot, wrong: boolean): void
}

/** Called with the message that was waited for. */
export type Spring = (from: Host, to: Host, message: Message) => void

export class Cluster {
  readonly timeline = new Timeline()
  readonly coverage = new Coverage()
  readonly network: Network
  readonly history: History
  readonly sizes: Sizes
  readonly processing: Host[] = []
  readonly persistence: Host[] = []
  readonly clients: Host[] = []
  readonly checks: Check[] = []
  /** Processing replicas that compute wrong bytes at this moment. */
  readonly wrong = new Set<Slot>()
  readonly #traps = new Map<MessageName, Spring[]>()
  /** Processing replicas that computed wrong bytes since they started: their state may be wrong. */
  readonly #tainted = new Set<Slot>()
  /** Hosts that are not started again. */
  readonly #out = new Set<Host>()
  readonly #setting: Setting
  readonly #machines: Machines

  constructor(setting: Setting, machines: Machines, transcript: Transcript) {
    const { seed, sizes } = setting
    this.#setting = setting
    this.#machines = machines
    this.sizes = sizes
    this.history = new History(Math.floor(sizes.persistence / 2) + 1)
    this.network = new Network(this.timeline, new Random(seed, 'network'), setting.latency, {
      send: (from, to, message) => this.#sent(from, to, message),
    })
    const around: Surroundings = {
      timeline: this.timeline,
      network: this.network,
      transcript,
      taken: (end, input) => this.#taken(end, input),
      stepped: (host) => {
        for (const check of this.checks) check.stepped?.(host)
      },
      stopped: (host) => this.#again(host),
      halted: (host, why) => {
        if (!setting.mayHalt && host.name !== setting.liar) throw new Violation('halt', why)
        this.coverage.reach('a replica halts')
        this.#again(host)
      },
      logged: (host, event, fields) => {
        for (const check of this.checks) check.logged?.(host, event, fields)
      },
      read: (host, query) => this.coverage.read(host, query),
    }
    this.#makePersistence(around)
    this.#makeProcessing(around)
    this.#makeClients(around)
    this.checks.push(...checksOf(this, setting, machines.client !== undefined), this.coverage)
    if (transcript.traced) this.checks.push(new Narrator(this.timeline, transcript))
  }

  get hosts(): readonly Host[] {
    return [...this.persistence, ...this.processing, ...this.clients]
  }

  get replicas(): readonly Host[] {
    return [...this.persistence, ...this.processing]
  }

  corrupt(slot: Slot, wrong: boolean): void {
    if (wrong) this.#tainted.add(slot)
    if (wrong) this.wrong.add(slot)
    else this.wrong.delete(slot)
    this.#machines.corrupt?.(slot, wrong)
  }

  get disks(): readonly Disk[] {
    return this.persistence.map((host) => host.disk!)
  }

  /** Starts an ended process again, as the process manager would. */
  #again(host: Host): void {
    this.timeline.after(500, () => {
      if (!host.up && !this.#out.has(host)) this.start(host)
    })
  }

  /** Damage was found in a file: its process ends and comes back without the file. */
  #setAside(slot: Slot): void {
    const host = this.persistence[slot - 1]!
    this.coverage.reach('a damaged file is set aside')
    host.crash()
    host.disk!.lose()
    this.#again(host)
  }

  #taken({ host, other: { host: peer }, connection: { lane } }: End, input: Input): void {
    const seen = input.type === 'message' ? asPlain(input.message) : null
    for (const check of this.checks) {
      if (seen) check.delivered?.(peer, host, seen)
      else if (input.type === 'link-up') check.linked?.(host, peer, lane)
      else check.unlinked?.(host, peer, lane)
    }
  }

  /** Calls `spring` once, with the next message of this kind between replicas. */
  trap(type: MessageName, spring: Spring): void {
    this.#traps.set(type, [...(this.#traps.get(type) ?? []), spring])
  }

  trapped(type: MessageName): boolean {
    return this.#traps.has(type)
  }

  disarm(): void {
    this.#traps.clear()
  }

  #spring(from: Host, to: Host, message: Message): void {
    const set = this.#traps.get(message.type)
    if (!set || from.role === 'client' || to.role === 'client') return
    this.#traps.delete(message.type)
    for (const spring of set) spring(from, to, message)
  }

  /** Repairs these hosts and the paths between them; the others stay as they are. */
  heal(core: readonly Host[]): void {
    this.network.heal()
    for (const slot of this.wrong) this.corrupt(slot, false)
    for (const slot of this.#tainted) this.processing[slot - 1]!.crash()
    this.#tainted.clear()
    for (const host of this.hosts) {
      if (core.includes(host)) this.#out.delete(host)
      else this.#out.add(host)
    }
    for (const host of core) {
      host.disk?.heal()
      host.snapshot?.heal()
      host.wallOffset = 0
      host.crashAfterEffects = -1
      host.resume()
      if (!host.up) this.start(host)
    }
  }

  #makePersistence(around: Surroundings): void {
    const { seed, sizes, logBounds } = this.#setting
    for (let slot = 1; slot <= sizes.persistence; slot++) {
      const written = (of: Disk, batch: Transaction, before: DurableState): void => {
        for (const check of this.checks) check.written?.(of, batch, before)
      }
      const chance = new Random(seed, `disk ${slot}`)
      const disk = new Disk(slot, this.timeline, chance, this.history, logBounds.tail, written)
      disk.unsound = () => this.#setAside(slot)
      const genesis = { ...ORIGIN, slots: sizes.persistence }
      disk.format(genesis, { counter: 1, nonce: '' })
      const build = (start: Start): Machine =>
        this.#machines.persistence({
          ...ORIGIN,
          self: slot,
          slots: sizes.persistence,
          recovered: disk.recover(),
          entropy: start.entropy,
          timings: TIMINGS,
          logBounds,
        })
      const name = `s${slot}`
      const random = new Random(seed, name)
      this.persistence.push(new Host(name, 'persistence', slot, disk, around, random, build))
    }
  }

  #makeProcessing(around: Surroundings): void {
    const { seed, sizes } = this.#setting
    for (let slot = 1; slot <= sizes.processing; slot++) {
      const build = (start: Start): Machine => this.#machines.processing(slot, start, this.#setting)
      const name = `p${slot}`
      const random = new Random(seed, name)
      const snapshot = new SnapshotDisk(this.timeline, new Random(seed, `snapshot ${slot}`))
      const host = new Host(name, 'processing', slot, null, around, random, build, snapshot)
      this.processing.push(host)
    }
  }

  #makeClients(around: Surroundings): void {
    const { seed, sizes } = this.#setting
    if (!this.#machines.client) return
    for (let slot = 1; slot <= sizes.clients; slot++) {
      const name = `c${slot}`
      const dial = (to: Slot): void => this.network.dialOnce(host, this.processing[to - 1]!)
      const build = (start: Start): Machine => this.#machines.client!(slot, start, dial, sizes)
      const host = new Host(name, 'client', slot, null, around, new Random(seed, name), build)
      this.clients.push(host)
    }
  }

  start(host: Host): void {
    for (const check of this.checks) check.started?.(host)
    host.start()
    const { network } = this
    const peers = host.role === 'persistence' ? this.persistence : this.processing
    if (host.role === 'client') return
    for (const peer of peers) if (peer.slot < host.slot) network.route(host, peer, 'main')
    if (host.role !== 'processing') return
    for (const store of this.persistence) {
      network.route(host, store, 'main')
      network.route(host, store, 'bulk')
    }
  }

  #sent(from: Host, to: Host, message: Message): Message {
    const frame = this.#setting.wire ? travel(message) : message
    freeze(frame)
    const seen = asPlain(frame)
    if (seen.type !== frame.type) this.coverage.reach(`message ${frame.type}`)
    for (const check of this.checks) check.sent?.(from, to, seen)
    if (this.#traps.size > 0) this.#spring(from, to, frame)
    return frame
  }
}
