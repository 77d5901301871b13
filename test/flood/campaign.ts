// A cluster of real daemons under one attack after the other, then under all of them at once, while
// honest clients send, log in and read. A quiet phase of the same run is the baseline.

import { Worker } from 'node:worker_threads'
import type { Client } from '../../clients/index.js'
import { Honest, type Latency } from '../fuzz/live/honest.js'
import { Watch, type Vitals } from '../fuzz/live/watch.js'
import { Cluster, PASSWORD, type Owner } from '../system/cluster.js'
import { ATTACKS, type AttackName, type Outcome } from './attacks.js'
import type { Orders } from './attackers.js'
import { LogIns } from './log-ins.js'
import { Sloth } from './sloth.js'

export interface Plan {
  /** Length of each phase. */
  readonly seconds: number
  /** Share of the attacks' full size; 1 is 5,000 connections and the like. */
  readonly scale: number
  /** Attacks to run; all by default. */
  readonly only?: readonly AttackName[]
}

export interface Phase {
  readonly name: string
  readonly sends: Latency
  readonly logIns: Latency
  readonly vitals: readonly Vitals[]
  /** Refusals by reason, summed over all replicas. */
  readonly refused: Readonly<Record<string, number>>
  readonly outcomes: ReadonlyMap<string, Outcome>
}

export interface Report {
  readonly phases: readonly Phase[]
  /** Faults; empty: no honest client has lost anything. */
  readonly faults: readonly string[]
}

/** Deadlines, shortened so that they expire within a phase. */
const LIMITS = { frameMs: 4_000, loginMs: 20_000, clientSilenceMs: 8_000 }
const REFUSED = /^troca_(?:links|requests)_refused_total\{reason="(\w+)"\}$/
const SLOTH_MESSAGES = 400

export class Campaign {
  readonly #plan: Plan
  readonly #cluster: Cluster
  readonly #phases: Phase[] = []
  readonly #faults: string[] = []
  readonly #say: (line: string) => void

  private constructor(plan: Plan, cluster: Cluster, say: (line: string) => void) {
    this.#plan = plan
    this.#cluster = cluster
    this.#say = say
  }

  static async run(owner: Owner, plan: Plan, say: (line: string) => void): Promise<Report> {
    const shape = { processing: 3, persistence: 3, settings: { limits: LIMITS } }
    const campaign = new Campaign(plan, await Cluster.start(owner, shape), say)
    await campaign.#run()
    return { phases: campaign.#phases, faults: campaign.#faults }
  }

  async #run(): Promise<void> {
    const mallory = await this.#cluster.register('mallory')
    await fill(mallory)
    const honest = new Honest(await this.#cluster.register('honest'))
    const logIns = new LogIns(() => this.#cluster.logIn('honest'))
    const names = this.#plan.only ?? (Object.keys(ATTACKS) as AttackName[])
    await this.#phase('quiet', [], honest, logIns)
    for (const name of names) await this.#phase(name, [name], honest, logIns)
    const sloth = new Sloth(this.#cluster)
    await this.#phase('never acknowledges', [], honest, logIns, () =>
      sloth.lie(Math.round(SLOTH_MESSAGES * this.#plan.scale) + 50),
    )
    this.#faults.push(...(await sloth.faults()))
    await this.#phase('all at once', names, honest, logIns)
    await this.#phase('quiet again', [], honest, logIns)
    await Promise.all([honest.stop(), logIns.stop()])
    this.#faults.push(...honest.errors.slice(0, 5), ...logIns.errors.slice(0, 5))
    this.#faults.push(...(await honest.faults(await this.#cluster.logIn('honest'))))
  }

  async #phase(
    name: string,
    attacks: readonly AttackName[],
    honest: Honest,
    logIns: LogIns,
    besides: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    this.#say(name)
    const before = await this.#refused()
    const watch = new Watch(this.#cluster.replicas)
    honest.latency()
    logIns.latency()
    const [outcomes] = await Promise.all([this.#attack(attacks), besides()])
    const [sends, logged, vitals] = [honest.latency(), logIns.latency(), await watch.stop()]
    const after = await this.#refused()
    const grown = Object.entries(after).map(([why, n]) => [why, n - (before[why] ?? 0)] as const)
    const refused = Object.fromEntries(grown.filter(([, n]) => n > 0))
    this.#phases.push({ name, sends, logIns: logged, vitals, refused, outcomes })
    for (const { name: who, unexpectedEnds } of this.#cluster.replicas) {
      for (const end of unexpectedEnds.splice(0)) this.#faults.push(`${who} ended: ${end}: ${name}`)
    }
    if (sends.sends === 0) this.#faults.push(`no honest send was acknowledged: ${name}`)
  }

  async #attack(attacks: readonly AttackName[]): Promise<Map<string, Outcome>> {
    const orders: Orders = {
      attacks,
      scale: this.#plan.scale,
      ports: this.#cluster.processing.map(({ place }) => place.port),
      victim: 'honest',
      own: { name: 'mallory', password: PASSWORD },
    }
    const worker = new Worker(new URL('attackers.js', import.meta.url), { workerData: orders })
    const ended = new Promise<Map<string, Outcome>>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await new Promise((resolve) => setTimeout(resolve, this.#plan.seconds * 1_000))
    worker.postMessage('stop')
    return ended
  }

  async #refused(): Promise<Record<string, number>> {
    const sums: Record<string, number> = {}
    for (const replica of this.#cluster.replicas) {
      for (const [name, value] of Object.entries(await replica.metrics())) {
        const reason = REFUSED.exec(name)?.[1]
        if (reason) sums[reason] = (sums[reason] ?? 0) + value
      }
    }
    return sums
  }
}

/** Fills mallory's mailbox, so that `deaf` has pages to request. */
async function fill(client: Client): Promise<void> {
  const text = 'x'.repeat(4_000)
  await Promise.all(Array.from({ length: 100 }, () => client.send('mallory', text)))
}
