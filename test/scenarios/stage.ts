// Whole machines on virtual time, which a test drives step by step: the simulator's hosts, files
// and network without any randomness. A path can be held (frames wait, as behind a slow link) or a
// host crashed at the very message that matters; `lines` is the transcript.

import type { Machine } from '../../protocol/machine/machine.js'
import type { Slot, Tier } from '../../protocol/slots.js'
import type { Epoch } from '../../protocol/entries/epoch.js'
import type { Message, MessageName, The } from '../../protocol/messages/catalogue.js'
import { TAIL } from '../../protocol/machine/storage.js'
import { TIMINGS } from '../../protocol/machine/config.js'
import { PersistenceReplica } from '../../protocol/replicas/persistence.js'
import { ORIGIN } from '../simulator/origin.js'
import { Disk } from '../simulator/disk.js'
import { freeze } from '../simulator/frames.js'
import { History } from '../simulator/history.js'
import { Host, type Start } from '../simulator/host.js'
import { Network } from '../simulator/network.js'
import { Random } from '../simulator/random.js'
import type { SnapshotDisk } from '../simulator/snapshot-disk.js'
import { Timeline } from '../simulator/timeline.js'
import { Transcript } from '../simulator/transcript.js'
import { Violation } from '../simulator/violation.js'

/** A random source without randomness: the shortest delays, no mishaps, but distinct nonces. */
class Steady extends Random {
  override float(): number {
    return 0
  }

  override chance(): boolean {
    return false
  }
}

export interface Said {
  readonly from: string
  readonly to: string
  readonly message: Message
}

const LETTER = { processing: 'p', persistence: 's', client: 'c' } as const

const short = ({ counter, slot }: Epoch): string => `${counter}.${slot}`

/** The fields that tell two messages of one kind apart. */
function detail(message: Message): string {
  switch (message.type) {
    case 'ASK':
      return ` ${short(message.epoch)} [${message.members.join(' ')}]`
    case 'PROMISE':
      return ` ${short(message.epoch)} log ${short(message.logView)}/${message.last.index}`
    case 'INSTALL': {
      const members = message.members.map((member) => member.slot).join(' ')
      return ` ${short(message.epoch)} [${members}] log ${message.last.index}`
    }
    case 'CONSENT':
      return ` ${short(message.epoch)} ${message.granted ? 'granted' : message.reason}`
    case 'ORDER':
      return ` ${message.term}/${message.k} attempt ${message.attempt}`
    case 'VOTE':
      return ` ${message.term}/${message.k} attempt ${message.attempt}`
    case 'APPENDED':
      return ` ${message.k}`
    case 'APPEND':
      return ` ${message.term}/${message.k}`
    default:
      return 'epoch' in message ? ` ${short(message.epoch)}` : ''
  }
}

export class Stage {
  readonly timeline = new Timeline()
  readonly said: Said[] = []
  readonly #network: Network
  readonly #history: History
  readonly #hosts = new Map<string, Host>()
  readonly #logged: string[] = []
  readonly #seed: number

  constructor(stores: number, seed = 1) {
    this.#seed = seed
    this.#history = new History(Math.floor(stores / 2) + 1)
    this.#network = new Network(this.timeline, new Steady(seed, 'network'), 0, {
      send: (from, to, message) => {
        freeze(message)
        this.said.push({ from: from.name, to: to.name, message })
        return message
      },
    })
  }

  /** Adds a machine; a persistence replica has a `disk`, a processing replica may have snapshots. */
  add(
    tier: Tier | 'client',
    slot: Slot,
    build: (start: Start) => Machine,
    disk: Disk | null = null,
    snapshot: SnapshotDisk | null = null,
  ): void {
    const name = `${LETTER[tier]}${slot}`
    const around = {
      timeline: this.timeline,
      network: this.#network,
      transcript: new Transcript(false, () => {}),
      taken: () => {},
      stepped: () => {},
      stopped: () => {},
      halted: (_host: Host, why: string) => {
        throw new Violation('halt', why)
      },
      read: () => undefined,
      logged: (host: Host, event: string) => void this.#logged.push(`${host.name} ${event}`),
    }
    const random = new Steady(this.#seed, name)
    this.#hosts.set(name, new Host(name, tier, slot, disk, around, random, build, snapshot))
  }

  /** Adds a real persistence replica, with its file as `init` leaves it. */
  addStore(slot: Slot, slots: number): void {
    const chance = new Steady(this.#seed, `disk ${slot}`)
    const disk = new Disk(slot, this.timeline, chance, this.#history, TAIL, () => {})
    disk.format({ ...ORIGIN, slots }, { counter: 1, nonce: '' })
    const config = { ...ORIGIN, self: slot, slots, timings: TIMINGS }
    const build = (start: Start): Machine =>
      new PersistenceReplica({ ...config, ...start, recovered: disk.recover() })
    this.add('persistence', slot, build, disk)
  }

  host(name: string): Host {
    return this.#hosts.get(name)!
  }

  disk(name: string): Disk {
    return this.host(name).disk!
  }

  has(name: string): boolean {
    return this.#hosts.has(name)
  }

  store(name: string): PersistenceReplica {
    return this.host(name).machine as PersistenceReplica
  }

  /** Within a tier the higher slot dials the lower; processing dials persistence on two lanes. */
  start(...names: readonly string[]): void {
    const starting = names.length > 0 ? names : [...this.#hosts.keys()]
    for (const name of starting) {
      const host = this.host(name)
      host.start()
      for (const peer of this.#hosts.values()) {
        if (peer.role === host.role && peer.slot < host.slot) {
          this.#network.route(host, peer, 'main')
        }
        if (host.role !== 'processing' || peer.role !== 'persistence') continue
        this.#network.route(host, peer, 'main')
        this.#network.route(host, peer, 'bulk')
      }
    }
  }

  /** Dials one connection of a client. */
  dial(from: string, to: string): void {
    this.#network.dialOnce(this.host(from), this.host(to))
  }

  crash(...names: readonly string[]): void {
    for (const name of names) this.host(name).crash()
  }

  run(ms: number): void {
    const end = this.timeline.now + ms
    while (this.timeline.now < end && this.timeline.step());
  }

  /** Runs until `done`, at most 20 s of virtual time. */
  until(what: string, done: () => boolean): void {
    const end = this.timeline.now + 20_000
    while (!done()) {
      if (this.timeline.now > end || !this.timeline.step()) throw new Error(`never: ${what}`)
    }
  }

  /** Runs until such a message is sent; the message is still on its way then. */
  untilSent<N extends MessageName>(from: string, to: string, type: N): The<N> {
    const mark = this.said.length
    let found: Said | undefined
    this.until(`${from} → ${to} ${type}`, () => {
      const fits = (s: Said): boolean => s.from === from && s.to === to && s.message.type === type
      found = this.said.slice(mark).find(fits)
      return found !== undefined
    })
    return found!.message as The<N>
  }

  /** Frames of a path wait until they are let go. */
  hold(from: string, to: string): void {
    this.#network.block(this.host(from), this.host(to))
  }

  release(from: string, to: string): void {
    this.#network.unblock(this.host(from), this.host(to))
  }

  /** Cuts all paths between the two groups, in both directions, until `heal`. */
  cut(these: readonly string[], those: readonly string[]): void {
    for (const a of these) {
      for (const b of those) {
        this.hold(a, b)
        this.hold(b, a)
      }
    }
  }

  heal(): void {
    this.#network.heal()
  }

  /** Messages of this kind from `mark` on (an earlier `said.length`), from any sender. */
  sent<N extends MessageName>(type: N, mark = 0): (Said & { readonly message: The<N> })[] {
    return this.said.slice(mark).filter((said) => said.message.type === type) as (Said & {
      readonly message: The<N>
    })[]
  }

  /** The transcript of these kinds of messages, in the order sent. */
  lines(types: readonly MessageName[], mark = 0): string[] {
    return this.said
      .slice(mark)
      .filter(({ message }) => types.includes(message.type))
      .map(({ from, to, message }) => `${from} → ${to} ${message.type}${detail(message)}`)
  }

  logged(event: string): boolean {
    return this.#logged.includes(event)
  }
}
