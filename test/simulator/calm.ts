// The end of a run, after the storm of faults. First, in many runs, a core (a majority of the files
// and some of the processing replicas) is whole while the rest stays as broken as it is, and the
// core must serve (P7, C6). Then everything heals: every request gets its answer, all logs end
// equal, and from there on nothing changes hands any more (C6).

import type { Cluster } from './cluster.js'
import { blank, chooseCore, isolate, restart } from './core.js'
import { turnView } from './checks/check.js'
import { LAST_BLOWS_MS, lastBlows } from './faults/blows.js'
import type { Host } from './host.js'
import { Random } from './random.js'
import type { Workload } from './simulation.js'
import { Violation } from './violation.js'

/**
 * Milliseconds in which a healed cluster, or a core, has to serve; and to have done all its work.
 */
const SERVED_MS = 10_000
const CALM_MS = 20_000
/**
 * Milliseconds at most that do not count in a core while all users are connected to replicas
 * outside it, which refuse them.
 */
const AWAY_MS = 5_000
/** Milliseconds more for each entry that a file lacks, and the most that this adds. */
const ENTRY_MS = 20
const MAX_MORE_MS = 10_000
/** A run may come to rest so many more times. */
const MAX_MORE_ENDS = 3
/** Milliseconds for which a core may stay a core: longer than all bounds of checks/service. */
const CORE_MS = 7_000
/** Milliseconds during which nothing changes hands, once all is well. */
const STABLE_MS = 3_000

export class Calm {
  readonly #cluster: Cluster
  readonly #workload: Workload
  readonly #seed: number
  readonly #tinyFrames: boolean
  readonly #say: (what: string) => void
  #blowsOver = 0
  /** Milliseconds from the end of the faults to the next committed order, and to equal logs. */
  servedMs = 0
  convergedMs = 0

  constructor(
    cluster: Cluster,
    workload: Workload,
    seed: number,
    tinyFrames: boolean,
    say: (what: string) => void,
  ) {
    this.#cluster = cluster
    this.#workload = workload
    this.#seed = seed
    this.#tinyFrames = tinyFrames
    this.#say = say
  }

  /** Ends with a violation, or with all logs equal. */
  run(): void {
    const cluster = this.#cluster
    const random = new Random(this.#seed, 'core')
    // Some storms end with the loss of all frames under way, some with no writer afterwards.
    if (random.chance(0.3)) cluster.network.shake(random)
    const quiet = random.chance(0.3)
    if (quiet) this.#quiet(random)
    else if (random.chance(0.6)) {
      for (let rounds = random.between(1, 4); rounds > 0; rounds--) this.#core(random)
    }
    this.#say('CALM    faults are over')
    if (random.chance(0.5)) this.#blows(random)
    cluster.heal(cluster.hosts)
    if (!quiet) this.servedMs = this.#served()
    this.convergedMs = this.servedMs + this.#comesToRest()
    for (let more = random.between(0, MAX_MORE_ENDS); more > 0; more--) this.#endAgain(random)
    this.#stable()
  }

  /** Milliseconds until everything asked for is done and all logs are equal. */
  #comesToRest(): number {
    const { timeline, history } = this.#cluster
    this.#workload.busy = false
    this.#cluster.timeline.until(() => timeline.now >= this.#blowsOver)
    const begin = timeline.now
    const what = (): string => `not converged within the bound: ${this.#state()}`
    // A lost file comes back entry by entry where frames are small.
    const ms = CALM_MS + this.#allowance(history.committed.index)
    this.#within(
      () => ms,
      () => this.#converged(),
      'P7',
      what,
    )
    return timeline.now - begin
  }

  #blows(random: Random): void {
    lastBlows(this.#cluster, random)
    this.#blowsOver = this.#cluster.timeline.now + LAST_BLOWS_MS
  }

  /** Some more work, with blows while it ends and no writer afterwards. */
  #endAgain(random: Random): void {
    this.#say('AGAIN   some more work, and blows while it ends')
    this.#workload.busy = true
    if (random.chance(0.5)) this.#cluster.timeline.pass(random.spread(20, 1_000))
    this.#blows(random)
    this.#cluster.timeline.pass(random.spread(20, 1_000))
    if (random.chance(0.5)) this.#miss(random)
    this.#comesToRest()
  }

  /** The core serves. Then it stays the core for a while, or another one takes over at once. */
  #core(random: Random): void {
    const cluster = this.#cluster
    const core = chooseCore(cluster, random)
    this.#say(`CORE    ${core.map((host) => host.name).join(' ')}`)
    cluster.heal(core)
    const blanked = random.chance(0.3)
    if (blanked) {
      blank(cluster, core)
      this.#cluster.timeline.pass(random.spread(1, 1_500))
    }
    isolate(cluster, core, random, (host, how) => this.#say(`OUT     ${host.name} ${how}`))
    if (blanked && random.chance(0.5)) restart(cluster, core)
    cluster.coverage.reach('a core serves alone')
    this.#served(core)
    const stays = random.chance(0.3) ? CORE_MS : random.spread(20, 3_000)
    if (random.chance(0.5)) this.#cluster.timeline.pass(stays)
  }

  /** No writer is left. Often one replica has just missed the last entries of another. */
  #quiet(random: Random): void {
    if (random.chance(0.6)) {
      this.#cluster.heal(this.#cluster.hosts)
      this.#cluster.timeline.pass(random.spread(500, 3_000))
      this.#miss(random)
    }
    this.#workload.busy = false
  }

  /** One replica hears nothing of another for a moment, and the frames between them are lost. */
  #miss(random: Random): void {
    const { network, persistence } = this.#cluster
    const [store, other] = random.shuffled(persistence)
    if (!store || !other) return
    network.block(other, store)
    this.#cluster.timeline.pass(random.spread(5, 900))
    this.#say(`MISSES  ${store.name} of ${other.name}`)
    for (const connection of network.between(other, store)) network.sever(connection)
    network.unblock(other, store)
  }

  /**
   * Extra milliseconds for a file that lacks so many entries; no limit where a frame has one or two
   * entries.
   */
  #allowance(entries: number): number {
    const ms = ENTRY_MS * Math.max(0, entries)
    return this.#tinyFrames ? ms : Math.min(ms, MAX_MORE_MS)
  }

  /** Milliseconds until `core`, or the whole cluster, has committed a new order. */
  #served(core?: readonly Host[]): number {
    const { timeline, history, disks } = this.#cluster
    const begin = timeline.now
    const before = history.committed.fence
    const served = (): boolean => {
      const { term, k } = history.committed.fence
      return term > before.term ? k > 0 : term === before.term && k > before.k
    }
    // A core that needs a file far behind waits until that file has caught up, perhaps entry by
    // entry.
    const behind = history.committed.index - Math.min(...disks.map(({ last }) => last.index))
    const ms = SERVED_MS + Math.min(this.#allowance(behind), MAX_MORE_MS / 2)
    const what = (): string => `no order committed within ${ms} ms of calm: ${this.#state()}`
    let [awayMs, lookedAt] = [0, begin]
    const boundMs = (): number => {
      if (core && !this.#isVisited(core))
        awayMs = Math.min(awayMs + timeline.now - lookedAt, AWAY_MS)
      lookedAt = timeline.now
      return ms + awayMs
    }
    // Without any term no coordinator was ever elected, which breaks C6; with a term it is P7.
    this.#within(boundMs, served, before.term === 0 ? 'C6' : 'P7', what)
    return timeline.now - begin
  }

  /** A user is connected to the core, or the writers are scripted. */
  #isVisited(core: readonly Host[]): boolean {
    const { clients, processing, network } = this.#cluster
    const serving = processing.filter((host) => core.includes(host))
    const isThere = (user: Host): boolean =>
      serving.some((host) => network.between(user, host).length > 0)
    return clients.length === 0 || clients.some(isThere)
  }

  #within(ms: () => number, done: () => boolean, invariant: string, what: () => string): void {
    const { timeline } = this.#cluster
    const begin = timeline.now
    const isOver = (): boolean => timeline.now > begin + ms()
    timeline.until(() => isOver() || done())
    if (isOver() && !done()) throw new Violation(invariant, what())
  }

  #converged(): boolean {
    const { history, disks, persistence, replicas } = this.#cluster
    const end = history.committed
    return (
      replicas.every((host) => host.running) &&
      disks.every((disk) => disk.last === end) &&
      persistence.every((host) => {
        const view = turnView(host)
        return view?.status === 'normal' && view.log.commit === end.index
      }) &&
      this.#workload.settled(this.#cluster)
    )
  }

  /** The coordinator and the view stay while nothing fails. */
  #stable(): void {
    const cluster = this.#cluster
    const { history, persistence, disks } = cluster
    const context = (): string =>
      [
        `term ${history.committed.fence.term}`,
        ...persistence.map((host) => {
          const { counter, slot } = turnView(host)!.installedEpoch
          return `${host.name} in ${counter}.${slot}`
        }),
      ].join(', ')
    // An earlier fault may be noticed late: a connection of which one end alone has learned that it
    // is over.
    cluster.disarm()
    this.#cluster.timeline.until(() => !cluster.network.halfOpen)
    this.#cluster.timeline.pass(STABLE_MS)
    // Damage that has not been read yet may still show.
    if (!disks.every((disk) => disk.sound)) return
    const before = context()
    this.#cluster.timeline.pass(STABLE_MS)
    const after = context()
    if (after !== before) throw new Violation('C6', `was ${before}; is ${after}; nothing failed`)
  }

  #state(): string {
    const { history, persistence } = this.#cluster
    const logs = persistence.map((host) => {
      const view = turnView(host)
      return `${host.name} ${view?.status} ${host.disk!.last.index}/${view?.log.commit}`
    })
    return `ledger ${history.committed.index}; ${logs.join('; ')}`
  }
}
