// One process on virtual time. It carries out its machine's effects, as the daemon's driver does.
// It can be crashed between any two effects, paused (inputs queue up and come late, ticks become
// one) and started anew with nothing but its file.

import { InvariantError } from '../../protocol/assert.js'
import {
  CALM_TICK_MS,
  TICK_MS,
  type Effect,
  type Input,
  type LinkId,
  type Machine,
  type Peer,
} from '../../protocol/machine/machine.js'
import type { Tier } from '../../protocol/slots.js'
import type { Entropy } from '../../protocol/entropy.js'
import type { ReadQuery } from '../../protocol/machine/storage.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { compute } from './compute.js'
import type { LogFields } from './coverage/reach.js'
import type { Disk } from './disk.js'
import type { End } from './connection.js'
import type { Network } from './network.js'
import type { Random } from './random.js'
import type { SnapshotDisk } from './snapshot-disk.js'
import type { Timeline } from './timeline.js'
import { describeMessage, type Transcript } from './transcript.js'
import { Violation } from './violation.js'

export interface Start {
  readonly boot: string
  readonly entropy: Entropy
  /** The file of a processing replica's snapshot. */
  readonly snapshot: SnapshotDisk | null
}

interface Arrival {
  readonly input: Input
  readonly end?: End | undefined
}

export interface Surroundings {
  readonly timeline: Timeline
  readonly network: Network
  readonly transcript: Transcript
  /** A machine is about to handle an input from a peer, at once or after a pause. */
  readonly taken: (end: End, input: Input) => void
  /** Called after every step of every machine. */
  readonly stepped: (host: Host) => void
  /** The process has ended in good order. */
  readonly stopped: (host: Host) => void
  /** The process has ended because one of its own assertions failed. */
  readonly halted: (host: Host, why: string) => void
  readonly logged: (host: Host, event: string, fields: LogFields) => void
  readonly read: (host: Host, query: ReadQuery) => void
}

/** Wall clock at the beginning of a run, ms since 1970. */
const WALL_START = 1_790_000_000_000

export class Host {
  readonly name: string
  readonly role: Tier | 'client'
  readonly slot: number
  readonly disk: Disk | null
  /** Of a processing replica. */
  readonly snapshot: SnapshotDisk | null
  readonly ends = new Map<LinkId, End>()
  readonly #around: Surroundings
  readonly #random: Random
  readonly #build: (start: Start) => Machine
  machine: Machine | null = null
  bootCount = 0
  boot = ''
  wallOffset = 0
  /** What the wall clock shows, ms since 1970. */
  get wall(): number {
    return Math.floor(WALL_START + this.#around.timeline.now + this.wallOffset)
  }

  /** The host crashes after so many effects of its next step that has as many; -1: never. */
  crashAfterEffects = -1
  #links = 0
  #steppedAt = 0
  #paused = false
  #backlog: Arrival[] = []
  /** Links that the machine has closed: earlier frames of theirs are not handled any more. */
  readonly #closed = new Set<LinkId>()
  #clockStart = 0
  /** When the next tick is due, virtual ms. */
  #tickAt = Infinity

  constructor(
    name: string,
    role: Tier | 'client',
    slot: number,
    disk: Disk | null,
    around: Surroundings,
    random: Random,
    build: (start: Start) => Machine,
    snapshot: SnapshotDisk | null = null,
  ) {
    this.snapshot = snapshot
    this.name = name
    this.role = role
    this.slot = slot
    this.disk = disk
    this.#around = around
    this.#random = random
    this.#build = build
  }

  get up(): boolean {
    return this.machine !== null
  }

  get running(): boolean {
    return this.up && !this.#paused
  }

  get paused(): boolean {
    return this.#paused
  }

  alive(bootCount: number): boolean {
    return this.up && this.bootCount === bootCount
  }

  nextLink(): LinkId {
    return ++this.#links as LinkId
  }

  start(): void {
    this.bootCount++
    this.boot = this.#random.hex(8)
    this.#links = 0
    this.#backlog = []
    this.#closed.clear()
    this.#clockStart = this.#around.timeline.now - this.#random.below(1_000_000)
    this.#note('starts')
    const entropy: Entropy = (bytes) => this.#random.bytes(bytes)
    this.machine = this.#guard(() => {
      const { boot, snapshot } = this
      return this.#build({ boot, entropy, snapshot })
    })
    this.#tickAt = Infinity
    this.#tickLater(this.bootCount)
  }

  /** A wait for a tick that has become too long is followed by a shorter one, and comes to nothing. */
  #tickLater(bootCount: number): void {
    const { timeline } = this.#around
    const delay = this.machine?.calm ? CALM_TICK_MS : TICK_MS
    if (this.#tickAt <= timeline.now + delay) return
    const at = timeline.now + delay + this.#random.float()
    this.#tickAt = at
    timeline.after(at - timeline.now, () => {
      if (!this.alive(bootCount) || this.#tickAt !== at) return
      this.#tickAt = Infinity
      this.input({ type: 'tick' })
      this.#tickLater(bootCount)
    })
  }

  crash(): void {
    if (!this.up) return
    this.#note('crashes')
    this.machine = null
    this.#paused = false
    this.crashAfterEffects = -1
    this.#around.network.died(this)
    this.ends.clear()
    this.disk?.crash()
    this.snapshot?.crash()
  }

  pause(): void {
    this.#note('is paused')
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#note('goes on')
    const { bootCount } = this
    const backlog = this.#backlog
    this.#backlog = []
    // The timer comes before the sockets or after them: both orders happen.
    const tick: Arrival = { input: { type: 'tick' } }
    if (this.#random.chance(0.5)) backlog.push(tick)
    else backlog.unshift(tick)
    for (const { input, end } of backlog) if (this.alive(bootCount)) this.input(input, end)
  }

  linkUp(end: End, peer: Host): void {
    this.ends.set(end.link, end)
    const { lane } = end.connection
    this.input({ type: 'link-up', link: end.link, peer: peerOf(peer, lane) }, end)
  }

  linkDown(end: End, reason: string): void {
    this.ends.delete(end.link)
    this.input({ type: 'link-down', link: end.link, reason }, end)
  }

  receive(end: End, message: Message): void {
    this.input({ type: 'message', link: end.link, message }, end)
  }

  /** `end`: the end of the connection that the input is about. */
  input(input: Input, end?: End): void {
    if (!this.machine) return
    if (this.#paused) {
      if (input.type !== 'tick') this.#backlog.push({ input, end })
      return
    }
    if (input.type === 'message' && this.#closed.has(input.link)) return
    const { timeline, transcript } = this.#around
    this.#steppedAt = timeline.now
    if (end) this.#around.taken(end, input)
    transcript.add(Math.floor(timeline.now * 1000))
    transcript.addText(input.type)
    this.#trace(input)
    // Whole milliseconds. The monotonic clock never goes back, the wall clock may.
    const monotonic = Math.floor(timeline.now - this.#clockStart)
    const effects = this.#guard(() => this.machine!.step(input, { monotonic, wall: this.wall }))
    if (effects) this.#carryOut(effects)
    if (!this.machine) return
    this.#around.stepped(this)
    this.#tickLater(this.bootCount)
  }

  #carryOut(effects: readonly Effect[]): void {
    const { crashAfterEffects: limit } = this
    const crashes = limit >= 0 && effects.length >= limit && effects.length > 0
    for (const effect of crashes ? effects.slice(0, limit) : effects) {
      this.#one(effect)
      if (!this.machine) return
    }
    if (crashes) this.crash()
  }

  #one(effect: Effect): void {
    const { timeline, network, transcript } = this.#around
    const { bootCount } = this
    const later = (input: Input): void => {
      if (this.alive(bootCount)) this.input(input)
    }
    switch (effect.type) {
      case 'send':
        transcript.addMessage(effect.message)
        return network.send(this, effect.link, effect.message)
      case 'again':
        return timeline.after(this.#random.float() * 0.1, () => later({ type: 'again' }))
      case 'close':
        this.#closed.add(effect.link)
        return network.close(this, effect.link)
      // A held connection would act like a slow one, which other faults provide, and frames have no
      // length here.
      case 'hold':
      case 'admit':
        return
      case 'persist':
        return this.disk!.write(effect.transaction, (result) => {
          // Milliseconds for the answer's way from the writer thread to the event loop.
          const hop = this.#random.float() * 0.2
          timeline.after(hop, () => later({ type: 'stored', token: effect.token, result }))
        })
      case 'read':
        this.#around.read(this, effect.query)
        return this.disk!.read(effect.query, (result) =>
          later({ type: 'read', token: effect.token, result }),
        )
      case 'save':
        return this.snapshot!.save(effect.part, (outcome) => later({ type: 'saved', outcome }))
      case 'load':
        return this.snapshot!.load(effect.after, (part) => later({ type: 'loaded', part }))
      case 'compute': {
        const took = this.#random.spread(1, 300)
        const entropy: Entropy = (bytes) => this.#random.bytes(bytes)
        const { token } = effect
        timeline.after(took / 2, () => later({ type: 'progress', token, text: 'half of it' }))
        return timeline.after(took, () =>
          later({ type: 'computed', token: effect.token, result: compute(effect.job, entropy) }),
        )
      }
      case 'log': {
        const fields = Object.entries(effect.fields).map(([name, value]) => `${name}=${value}`)
        if (transcript.traced) this.#note(`· ${effect.level} ${effect.event} ${fields.join(' ')}`)
        return this.#around.logged(this, effect.event, effect.fields)
      }
      case 'stopped':
        this.crash()
        return this.#around.stopped(this)
    }
  }

  /** Adds the replica's name to every error that its machine throws. */
  #guard<T>(run: () => T): T | null {
    try {
      return run()
    } catch (error) {
      if (error instanceof Violation) throw error
      const { message, stack, name } = error as Error
      if (name === InvariantError.name) {
        this.#note(`HALTS   ${message}`)
        this.crash()
        this.#around.halted(this, `${this.name} halted: ${message}`)
        return null
      }
      throw new Violation('crash', `${this.name} threw ${message}\n${stack}`, { cause: error })
    }
  }

  #trace(input: Input): void {
    if (!this.#around.transcript.traced || input.type === 'tick') return
    const end = 'link' in input ? this.ends.get(input.link) : undefined
    const from = end ? `${end.other.host.name}→${this.name}` : this.name
    if (input.type === 'message') this.#note(describeMessage(input.message), from)
    else if (input.type === 'stored') {
      const { result } = input
      const durable = 'durable' in result ? ` last=${result.durable.last}` : ''
      this.#note(`stored ${input.token} ${result.outcome}${durable}`)
    } else if ('link' in input) this.#note(`${input.type} ${input.link}`, from)
    else this.#note(input.type)
  }

  #note(text: string, who = this.name): void {
    const { timeline, transcript } = this.#around
    transcript.line(timeline.now, `${who.padEnd(7)} ${text}`)
  }

  /** Virtual time of the last step, in milliseconds. */
  get steppedAt(): number {
    return this.#steppedAt
  }
}

function peerOf(host: Host, lane: 'main' | 'bulk'): Peer {
  if (host.role === 'client') return { role: 'client', address: `10.0.0.${host.slot}` }
  return { role: host.role, slot: host.slot, boot: host.boot, lane }
}
