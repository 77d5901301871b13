// Three processing replicas on one real store, s1, whose disk alone decides what is committed; the
// test plays the client c1.

import { ERRORS, type ErrorName } from '../../protocol/errors.js'
import { KIND, type Entry } from '../../protocol/entries/entry.js'
import type { Job } from '../../protocol/machine/compute.js'
import {
  LIMITS,
  TIMINGS,
  type Limits,
  type Registration as Policy,
} from '../../protocol/machine/config.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { ProcessingReplica } from '../../protocol/replicas/processing.js'
import { ORIGIN } from '../simulator/origin.js'
import { readKey, seal } from '../simulator/compute.js'
import { PlayedClient } from './played.js'
import { Stage } from './stage.js'

export class Ring {
  readonly stage = new Stage(1)
  readonly client: PlayedClient
  /** Text that a replica's execution adds to every message; absent: its execution is right. */
  readonly wrong = new Map<number, () => string>()
  /** Settings of the replicas that start from now on. */
  registration: Policy = 'open'
  limits: Limits
  /** Jobs that the replicas have given to their workers. */
  readonly jobs: Job[] = []
  stream: Uint8Array = new Uint8Array(16)

  /** `real`: the slots of the three that are real processing replicas. */
  constructor(real: readonly number[] = [1, 2, 3], limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits }
    this.stage.addStore(1, 1)
    for (const slot of real) {
      const sizes = { slots: 3, stores: 1, timings: TIMINGS, readKey }
      this.stage.add('processing', slot, (start) => {
        const replica = new ProcessingReplica({
          ...{ ...ORIGIN, self: slot, ...start, ...sizes },
          registration: this.registration,
          limits: this.limits,
          seal: (input) => seal({ ...input, text: input.text + (this.wrong.get(slot)?.() ?? '') }),
        })
        const step = replica.step.bind(replica)
        replica.step = (input, now) => {
          const effects = step(input, now)
          for (const one of effects) if (one.type === 'compute') this.jobs.push(one.job)
          return effects
        }
        return replica
      })
    }
    this.client = new PlayedClient(this.stage, 1)
  }

  /**
   * Waits for a coordinator that all replicas know, then registers alice with a stream, at `at`.
   */
  begin(at?: string): this {
    this.stage.start()
    this.stage.until('a coordinator', () => this.replicas.every((p) => p.coordinatorSlot > 0))
    this.stage.run(1_500)
    this.client.connect(at ?? this.coordinator)
    this.stream = this.client.register('alice')
    this.stage.run(200)
    return this
  }

  /** Starts all replicas again, with the settings of now, and connects the client to p1. */
  restart(): void {
    this.stage.crash('p1', 'p2', 'p3')
    this.stage.start('p1', 'p2', 'p3')
    this.stage.run(3_000)
    this.stage.until('a coordinator', () => this.replicas.every((p) => p.coordinatorSlot > 0))
    this.stage.run(1_500)
    this.client.connect('p1')
  }

  get replicas(): ProcessingReplica[] {
    return ['p1', 'p2', 'p3'].flatMap((name) => {
      const machine = this.stage.has(name) ? this.stage.host(name).machine : null
      return machine instanceof ProcessingReplica ? [machine] : []
    })
  }

  get coordinator(): string {
    return `p${this.replicas[0]!.coordinatorSlot}`
  }

  get others(): string[] {
    return ['p1', 'p2', 'p3'].filter((name) => name !== this.coordinator)
  }

  replica(name: string): ProcessingReplica {
    return this.stage.host(name).machine as ProcessingReplica
  }

  get log(): Entry[] {
    return this.stage
      .disk('s1')
      .file!.log.slice(1)
      .map((node) => node.entry!)
  }

  get messages(): Entry[] {
    return this.log.filter(({ meta }) => meta.kind === KIND.message)
  }

  send(seq: number, text: string, to = 'alice'): number {
    return this.client.send({ type: 'SEND', stream: this.stream, seq, to, text })
  }

  ask(seq: number, text: string, to = 'alice'): Message {
    return this.client.ask({ type: 'SEND', stream: this.stream, seq, to, text })
  }

  /** The disk is stuck for `ms`: no entry becomes durable, and so none is committed. */
  stickDisk(ms: number): void {
    this.stage.disk('s1').stuckUntil = this.stage.timeline.now + ms
  }
}

/** For `t.match`: the ERROR of this name. */
export const isError = (name: ErrorName, expected: number | null = null): object => ({
  type: 'ERROR',
  code: ERRORS[name].code,
  definite: ERRORS[name].definite,
  ...(expected !== null && { expected }),
})
