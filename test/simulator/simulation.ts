// One run: a cluster, a workload and faults, all from one seed. First the storm; then faults stop,
// everything heals, and within a bounded virtual time the cluster must serve again (P7), answer
// what is unanswered, and end with equal logs.

import { Cluster, type Machines, type Sizes } from './cluster.js'
import { Faults, swarm, type Rates } from './faults.js'
import { Random } from './random.js'
import { Transcript } from './transcript.js'
import { Violation } from './violation.js'
import { turnView } from './checks/check.js'

export interface Workload extends Machines {
  /** Whether new work is begun; false near the end of a run. */
  busy: boolean
  /** Everything that clients asked for has been answered, and answered well. */
  settled(cluster: Cluster): boolean
}

export interface Options {
  readonly seed: number
  readonly sizes: Sizes
  readonly workload: Workload
  /** Instead of the swarm's choice. */
  readonly rates?: Rates
  /** Faults to leave out, to see which of them matter. */
  readonly off?: ReadonlySet<string>
  readonly stormMs?: number
  readonly print?: (line: string) => void
}

export interface Outcome {
  readonly seed: number
  readonly hash: number
  readonly violation: Violation | null
  readonly virtualMs: number
  readonly events: number
  readonly entries: number
  /** From the end of the faults to the next order committed, and to equal logs. */
  readonly servedMs: number
  readonly convergedMs: number
  readonly rates: Rates
  readonly reached: ReadonlyMap<string, number>
}

/** Within this the healed cluster has to have done everything. */
const CALM_MS = 30_000
/** So many events without a millisecond going by: the machines talk in circles. */
const MAX_EVENTS = 5_000_000

class Run {
  readonly #options: Options
  readonly #cluster: Cluster
  readonly #transcript: Transcript
  readonly #rates: Rates
  readonly #stormMs: number
  #servedMs = 0
  #convergedMs = 0

  constructor(options: Options) {
    const { seed, sizes, workload, print } = options
    const plan = new Random(seed, 'plan')
    const [wire, latency] = [plan.chance(0.15), plan.spread(0.1, 5)]
    this.#options = options
    const rates = Object.entries(options.rates ?? swarm(plan))
    this.#rates = Object.fromEntries(rates.filter(([name]) => !options.off?.has(name)))
    this.#stormMs = options.stormMs ?? plan.between(2_000, 12_000)
    this.#transcript = new Transcript(print !== undefined, print ?? ((): void => {}))
    this.#cluster = new Cluster({ seed, sizes, wire, latency }, workload, this.#transcript)
  }

  run(): Outcome {
    let violation: Violation | null = null
    try {
      this.#course()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      violation = error
      this.#transcript.line(this.#cluster.timeline.now, `VIOLATION ${error.message}`)
      this.#describe()
    }
    const { timeline, history, coverage } = this.#cluster
    return {
      seed: this.#options.seed,
      hash: this.#transcript.hash,
      violation,
      virtualMs: timeline.now,
      events: timeline.events,
      entries: history.ledger.length - 1,
      servedMs: this.#servedMs,
      convergedMs: this.#convergedMs,
      rates: this.#rates,
      reached: coverage.reached,
    }
  }

  /** How every replica saw itself at the end. */
  #describe(): void {
    if (!this.#transcript.traced) return
    const { hosts, timeline } = this.#cluster
    const now = { monotonic: 0, wall: 0 }
    for (const { name, machine } of hosts) {
      for (const word of machine ? ['view', 'turn', 'log', 'ring'] : []) {
        const text = machine!.describe(word, now)
        if (text)
          this.#transcript.line(timeline.now, `${name} ${word}: ${text.split('\n').join('; ')}`)
      }
    }
  }

  #course(): void {
    const cluster = this.#cluster
    const { workload, seed } = this.#options
    workload.busy = true
    for (const host of cluster.hosts) cluster.start(host)
    const faults = new Faults(cluster, new Random(seed, 'faults'), this.#rates, (fault) => {
      cluster.coverage.reach(`fault ${fault.split(' ')[0]}`)
      this.#transcript.line(cluster.timeline.now, `FAULT   ${fault}`)
    })
    this.#until(() => cluster.timeline.now >= this.#stormMs)
    this.#transcript.line(cluster.timeline.now, 'CALM    faults are over')
    faults.heal()
    const begin = cluster.timeline.now
    const before = cluster.history.committed.fence
    const late = (): boolean => cluster.timeline.now > begin + CALM_MS
    const served = (): boolean => {
      const { term, k } = cluster.history.committed.fence
      return term > before.term ? k > 0 : term === before.term && k > before.k
    }
    this.#until(() => late() || served())
    if (late()) throw new Violation('P7', `no order committed within ${CALM_MS} ms of calm`)
    this.#servedMs = cluster.timeline.now - begin
    workload.busy = false
    this.#until(() => late() || this.#converged())
    for (const check of cluster.checks) check.finished?.()
    if (late()) throw new Violation('P7', `not converged within ${CALM_MS} ms: ${this.#state()}`)
    this.#convergedMs = cluster.timeline.now - begin
  }

  #until(done: () => boolean): void {
    const { timeline } = this.#cluster
    let nextLook = timeline.now
    while (timeline.step()) {
      if (timeline.now < nextLook) continue
      if (done()) return
      if (timeline.events > MAX_EVENTS) throw new Violation('P7', 'messages without end')
      nextLook = timeline.now + 20
    }
  }

  #converged(): boolean {
    const { history, disks, persistence } = this.#cluster
    const end = history.committed
    return (
      disks.every((disk) => disk.last === end) &&
      persistence.every((host) => turnView(host)?.commitIndex === end.index) &&
      this.#options.workload.settled(this.#cluster)
    )
  }

  #state(): string {
    const { history, persistence } = this.#cluster
    const logs = persistence.map((host) => {
      const view = turnView(host)
      return `${host.name} ${view?.status} ${host.disk!.last.index}/${view?.commitIndex}`
    })
    return `ledger ${history.committed.index}; ${logs.join('; ')}`
  }
}

export function simulate(options: Options): Outcome {
  return new Run(options).run()
}
