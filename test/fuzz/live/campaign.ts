// A campaign against a cluster of real daemons: a calm stage, then all adversaries at once, then
// two replicas with stolen keys that lie. An honest client works all the time. No daemon may die,
// and in the end every acknowledged message must be in the mailbox.

import { Worker } from 'node:worker_threads'
import { Cluster, PASSWORD, type Owner } from '../../system/cluster.js'
import type { Replica } from '../../system/replica.js'
import { DELIBERATE } from '../machines.js'
import type { Sort } from './adversary.js'
import type { Fault, Orders, Progress } from './attack.js'
import { Honest, type Latency } from './honest.js'
import { Watch, type Vitals } from './watch.js'

export interface Plan {
  readonly seed: number
  readonly frames: number
  readonly minutes: number
}

export interface Stage {
  readonly name: string
  readonly seconds: number
  readonly frames: number
  readonly connections: number
  readonly kinds: Readonly<Record<string, number>>
  readonly honest: Latency
  readonly vitals: readonly Vitals[]
}

export interface Report {
  readonly stages: readonly Stage[]
  /** Faults; empty: the campaign passed. */
  readonly faults: readonly string[]
  /** Deliberate halts, under a replica that lies about history. */
  readonly halts: readonly string[]
}

/** Replicas whose certificates are stolen; the replicas themselves are down meanwhile. */
const STOLEN = ['p3', 's3']
/** Share of all frames that are well-formed lies by replicas. */
const ROGUE_SHARE = 0.15
const CALM_SENDS = 100
/** Most growth of a daemon's memory in a stage: state for passing peers must stay bounded. */
const MAX_GROWTH_MIB = 256
const POLL_MS = 100

export class Campaign {
  readonly #plan: Plan
  readonly #cluster: Cluster
  readonly #say: (line: string) => void
  readonly #stages: Stage[] = []
  readonly #faults: string[] = []
  readonly #halts: string[] = []
  #last: readonly string[] = []

  private constructor(plan: Plan, cluster: Cluster, say: (line: string) => void) {
    this.#plan = plan
    this.#cluster = cluster
    this.#say = say
  }

  static async run(owner: Owner, plan: Plan, say: (line: string) => void): Promise<Report> {
    const campaign = new Campaign(plan, await Cluster.start(owner), say)
    await campaign.#run().catch((error: Error) => campaign.#faults.push(error.message))
    const { stages, faults, halts } = {
      stages: campaign.#stages,
      faults: campaign.#faults,
      halts: campaign.#halts,
    }
    return { stages, faults, halts }
  }

  get #targets(): readonly Replica[] {
    return this.#cluster.replicas.filter(({ name }) => !STOLEN.includes(name))
  }

  async #run(): Promise<void> {
    await this.#cluster.register('mallory')
    const honest = new Honest(await this.#cluster.register('honest'))
    for (const name of STOLEN) await this.#cluster.replica(name).stop()
    const { frames } = this.#plan
    await this.#stage('calm', honest, () => this.#sends(honest, CALM_SENDS))
    const edge = { stranger: 0, client: 0.998, user: 0.995, impostor: 0.3, replica: 0 }
    const everybody: Sort[] = ['stranger', 'client', 'user', 'impostor', 'replica']
    const edgeFrames = Math.round(frames * (1 - ROGUE_SHARE))
    await this.#stage('everybody', honest, () => this.#attack(everybody, edge, edgeFrames, false))
    await this.#stage('calm again', honest, () => this.#sends(honest, CALM_SENDS))
    await honest.stop()
    if (honest.errors.length > 0) this.#faults.push(...honest.errors.slice(0, 5))
    const lying = { ...edge, replica: 0.99 }
    const each = Math.round((frames * ROGUE_SHARE) / 2)
    const lies = (who: string): Promise<Progress> =>
      this.#attack(['replica'], lying, each, true, [who])
    await this.#stage('p3 lies', null, () => lies('p3'))
    await this.#startAnew()
    this.#faults.push(...(await honest.faults(await this.#cluster.logIn('honest'))))
    for (const name of STOLEN) await this.#cluster.replica(name).stop()
    // Views and incarnations that a persistence replica reports are believed, so this stage is
    // last.
    await this.#stage('s3 lies', null, () => lies('s3'))
  }

  async #sends(honest: Honest, count: number): Promise<Omit<Progress, 'faults' | 'last' | 'done'>> {
    const wanted = honest.acknowledged + count
    await this.#cluster.until(`${count} honest sends are acknowledged`, () =>
      Promise.resolve(honest.acknowledged >= wanted ? true : null),
    )
    return { frames: 0, connections: 0, kinds: {} }
  }

  async #stage(
    name: string,
    honest: Honest | null,
    act: () => Promise<Omit<Progress, 'faults' | 'last' | 'done'>>,
  ): Promise<void> {
    const watch = new Watch(this.#targets)
    honest?.latency()
    const begun = performance.now()
    const { frames, connections, kinds } = await act()
    const seconds = Math.round((performance.now() - begun) / 1_000)
    const none = { sends: 0, failed: 0, p50: 0, p99: 0, max: 0 }
    const told = honest?.latency() ?? none
    const vitals = await watch.stop()
    this.#stages.push({ name, seconds, frames, connections, kinds, honest: told, vitals })
    for (const { name: who, rss } of vitals) {
      const grown = rss[1] - rss[0]
      if (grown > MAX_GROWTH_MIB) this.#faults.push(`${who} grew by ${grown} MiB: ${name}`)
    }
  }

  /** Runs an attack. With `mayHalt`, a replica that halts deliberately is restarted. */
  #attack(
    sorts: readonly Sort[],
    well: Orders['well'],
    frames: number,
    mayHalt: boolean,
    stolen: readonly string[] = STOLEN,
  ): Promise<Progress> {
    const { replicas } = this.#cluster
    const orders: Orders = {
      config: replicas[0]!.place.config,
      seed: this.#plan.seed,
      ...{ stolen, down: STOLEN, sorts, well, frames, user: 'mallory', password: PASSWORD },
      debugPorts: this.#targets.map(({ place }) => place.debugPort),
    }
    const share = frames / this.#plan.frames
    const until = performance.now() + this.#plan.minutes * 60_000 * share
    const worker = new Worker(new URL('attack.js', import.meta.url), { workerData: orders })
    let progress: Progress | null = null
    const timer = setInterval(() => {
      const died = this.#died(mayHalt)
      if (died || performance.now() > until) worker.postMessage('stop')
    }, POLL_MS)
    return new Promise((resolve, reject) => {
      worker.on('message', (told: Progress) => {
        progress = told
        this.#last = told.last
        this.#note(told)
      })
      worker.once('error', reject)
      worker.once('exit', () => {
        clearInterval(timer)
        this.#died(mayHalt)
        if (progress?.done) resolve(progress)
        else reject(new Error('the attack ended before its time'))
      })
    })
  }

  #note({ frames, connections, faults }: Progress): void {
    this.#say(`seed ${this.#plan.seed}: ${frames} frames, ${connections} connections`)
    for (const { what, connection } of faults as readonly Fault[]) {
      this.#faults.push(`seed ${this.#plan.seed}, ${what}: ${connection}`)
    }
  }

  /** Whether a replica has died, deliberate halts excepted. */
  #died(mayHalt: boolean): boolean {
    let died = false
    for (const replica of this.#targets) {
      for (const end of replica.unexpectedEnds.splice(0)) {
        const halted = replica.log().findLast(({ event }) => event === 'halted')
        const said = `${replica.name} ended with ${end}: ${halted?.reason ?? replica.tail()}`
        if (mayHalt && halted && DELIBERATE.test(`: ${halted.reason}`)) {
          this.#halts.push(said)
          replica.start()
          continue
        }
        died = true
        this.#faults.push(`${said}\nthe last connections:\n${this.#last.join('\n')}`)
      }
    }
    return died
  }

  /** Restarts all replicas, without the liar, from their files. */
  async #startAnew(): Promise<void> {
    const running = this.#cluster.replicas.filter(({ runs }) => runs)
    await Promise.all(running.map((replica) => replica.stop()))
    for (const replica of this.#cluster.replicas) replica.start()
    await this.#cluster.untilSettled()
  }
}
