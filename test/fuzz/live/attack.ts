// A thread of adversaries: connection after connection, AT_A_TIME in parallel, until it is told to
// stop. Connection n is a function of the seed, of n, and of the messages heard before it.

import { parentPort, workerData } from 'node:worker_threads'
import { Random } from '../../simulator/random.js'
import { Frames, type Frame } from '../frames.js'
import { Pool } from '../pool.js'
import { adversaries, type Adversary, type Sort } from './adversary.js'
import { probeDebugPort } from './debug.js'
import { Session } from './session.js'

/** Parameters of an attack. */
export interface Orders {
  readonly config: string
  readonly seed: number
  /** Replicas whose certificates are used. */
  readonly stolen: readonly string[]
  /** Replicas that do not run; those with stolen keys among them. */
  readonly down: readonly string[]
  readonly sorts: readonly Sort[]
  /** Share of frames that are messages, by sort; the rest is malformed and ends a connection. */
  readonly well: Readonly<Record<Sort, number>>
  readonly frames: number
  readonly user: string
  readonly password: string
  readonly debugPorts: readonly number[]
}

/** Report of a thread, sent every REPORT_MS. */
export interface Progress {
  readonly frames: number
  readonly connections: number
  readonly kinds: Readonly<Record<string, number>>
  readonly faults: readonly Fault[]
  /** The last connections, for the post-mortem of a replica that died. */
  readonly last: readonly string[]
  readonly done: boolean
}

export interface Fault {
  readonly what: string
  readonly connection: string
}

const AT_A_TIME = 16
/** Connections kept for a post-mortem. */
const KEPT = 40
const REPORT_MS = 200
/** Rare messages: each costs much computing by design, ends the connection, or is an answer. */
const SELDOM = new Set([
  ...['REGISTER', 'LOGIN', 'CHANGE_PASSWORD', 'ROTATE_KEY', 'ADD_KEY', 'EXPORT_KEYS', 'LOGOUT'],
  ...['GOODBYE', 'HELLO', 'WELCOME', 'SESSION', 'RECEIPT', 'PAGE', 'PUSH', 'STATUS_IS', 'DELETED'],
  ...['KEYS_ARE', 'WRAPPED_KEYS', 'STREAM_OPENED', 'PROGRESS', 'LISTENING', 'ERROR'],
])
/** Most frames of one connection; few connections have so many. */
const BATCH = { stranger: 1, client: 2_000, user: 600, impostor: 8, replica: 200 } as const

/**
 * Sorts of ten connections. Few end with their first frame: a connection costs a thousand frames.
 */
const SHARES: readonly Sort[] = [
  ...(['client', 'client', 'client', 'client', 'client', 'user', 'user'] as const),
  ...(['stranger', 'impostor', 'replica'] as const),
]

class Attack {
  readonly #orders: Orders
  readonly #adversaries: readonly Adversary[]
  /** Values heard, by adversary, as each has other conversations and other values. */
  readonly #pools = new Map<string, Pool>()
  readonly #kinds: Record<string, number> = {}
  readonly #faults: Fault[] = []
  readonly #last: string[] = []
  #frames = 0
  #connections = 0
  #stopping = false

  constructor(orders: Orders) {
    this.#orders = orders
    const all = adversaries(orders.config, orders.stolen, orders.down)
    this.#adversaries = all.filter(({ sort }) => orders.sorts.includes(sort))
  }

  async run(): Promise<void> {
    const timer = setInterval(() => this.#report(false), REPORT_MS)
    parentPort!.once('message', () => (this.#stopping = true))
    await Promise.all(Array.from({ length: AT_A_TIME }, () => this.#lane()))
    clearInterval(timer)
    this.#report(true)
    parentPort!.close()
  }

  async #lane(): Promise<void> {
    while (!this.#stopping && this.#frames < this.#orders.frames) await this.#next()
  }

  async #next(): Promise<void> {
    const number = ++this.#connections
    const random = new Random(this.#orders.seed, `connection ${number}`)
    if (random.chance(0.03)) {
      this.#count('debug port', 1)
      const fault = await probeDebugPort(random.pick(this.#orders.debugPorts), random)
      if (fault) this.#faults.push({ what: fault, connection: `${number} to a debug port` })
      return
    }
    const sort = random.pick(SHARES.filter((one) => this.#orders.sorts.includes(one)))
    const adversary = random.pick(this.#adversaries.filter((one) => one.sort === sort))
    const pool = this.#pools.get(adversary.name) ?? new Pool()
    this.#pools.set(adversary.name, pool)
    const session = await Session.open(adversary, pool)
    if (!session) return void (await new Promise((resolve) => setTimeout(resolve, 20)))
    try {
      if (await this.#greet(session, adversary))
        await this.#attack(session, adversary, pool, random, number)
    } finally {
      session.destroy()
    }
  }

  async #greet(session: Session, { sort, hello }: Adversary): Promise<boolean> {
    if (!hello) return true
    session.say(hello)
    if (sort === 'impostor') return true
    if (!(await session.hears('WELCOME', 'ERROR'))) return false
    if (sort !== 'user') return true
    const { user: name, password } = this.#orders
    session.say({ type: 'LOGIN', request: 1, name, password })
    return (await session.hears('SESSION', 'ERROR'))?.type === 'SESSION'
  }

  async #attack(
    session: Session,
    adversary: Adversary,
    pool: Pool,
    random: Random,
    number: number,
  ): Promise<void> {
    const { sort, name, conversations } = adversary
    const frames: Frame[] = []
    const source = new Frames(random, pool, SELDOM)
    const most = Math.ceil(random.spread(1, BATCH[sort] + 1))
    while (frames.length < most && !frames.at(-1)?.malformed) {
      const well = this.#orders.well[sort]
      const frame = source.next(conversations, well)
      // Flipped bits may make a valid message, which this adversary must not send.
      if (well > 0 || frame.malformed) frames.push(frame)
    }
    for (const { kind } of frames)
      this.#count(kind.replace(/^message .*/, `message of a ${sort}`), 1)
    const hex = frames.map(({ kind, bytes }) => `${kind}: ${bytes.toString('hex')}`)
    const connection = `connection ${number}, ${name}\n  ${hex.join('\n  ')}`
    this.#last.push(connection)
    if (this.#last.length > KEPT) this.#last.shift()
    await session.send(frames, random)
    const what = await session.verdict(frames, random)
    // A refusal may come before the last frame: an impostor's HELLO and undue messages get one too.
    if (what) this.#faults.push({ what, connection })
  }

  #count(kind: string, frames: number): void {
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + frames
    this.#frames += frames
  }

  #report(done: boolean): void {
    const { frames, connections } = { frames: this.#frames, connections: this.#connections }
    const faults = this.#faults.splice(0)
    const progress: Progress = {
      frames,
      connections,
      kinds: this.#kinds,
      faults,
      last: this.#last,
      done,
    }
    parentPort!.postMessage(progress)
  }
}

await new Attack(workerData as Orders).run()
