// Retention, at the coordinator: finds the mailboxes that are beyond their rule, and orders what has
// expired, a bounded number of commands at a time, so that no send waits long. All replicas erase what
// the log says: the configuration of the coordinator alone counts, and a replica that loaded its state
// goes on like any other.

import { KIND } from '../entries/entry.js'
import { keepsAll, stricter, type RetentionRule } from '../entries/retention.js'
import type { RetentionConfig } from '../machine/config.js'
import type { Executor } from '../state/executor.js'
import type { Ledger } from '../state/ledger.js'
import type { ProcessingContext } from './context.js'
import type { LogQueries } from './log-queries.js'
import type { Submission } from './submission.js'

/** Accounts looked at in one tick. */
const ACCOUNTS_A_TICK = 256
/** Commands that have no entry yet. */
const COMMANDS_UNDER_WAY = 32
/** Messages that one command erases, at the most. */
const MOST_MESSAGES = 1_024

/** Messages through `index` are older than an age, at the time `at`. */
interface Cut {
  readonly index: number
  readonly at: number
}

/** A pass over all accounts. */
interface Round {
  readonly base: Ledger
  readonly users: Iterator<string, undefined>
  /** The account whose age is being looked up. */
  waiting: string | null
  readonly cuts: Map<number, Cut>
  /** A mailbox has more expired messages than one command erases. */
  more: boolean
}

export class Retention {
  readonly #context: ProcessingContext
  readonly #executor: Executor
  readonly #queries: LogQueries
  readonly #submission: Submission
  readonly #config: RetentionConfig
  #round: Round | null = null
  #dueAt = 0
  #underWay = 0
  /** The round and age that the log is being asked for. */
  #seeking: { readonly round: Round; readonly age: number } | null = null
  /** Messages that the entries ordered here have erased. */
  expired = 0

  constructor(
    context: ProcessingContext,
    executor: Executor,
    queries: LogQueries,
    submission: Submission,
    config: RetentionConfig,
  ) {
    this.#context = context
    this.#executor = executor
    this.#queries = queries
    this.#submission = submission
    this.#config = config
  }

  /** What holds for the messages of a user: the stricter of the cluster's rule and its own. */
  ruleOf(user: string): RetentionRule {
    return stricter(this.#config.rule, this.#executor.base.retention(user))
  }

  get clusterRule(): RetentionRule {
    return this.#config.rule
  }

  tick(): void {
    const { role, now } = this.#context
    const { base, placed } = this.#executor
    const goesOn = role === 'coordinator' && placed
    if (!goesOn || (this.#round && this.#round.base !== base)) this.#round = null
    if (!goesOn) return
    if (!this.#round) {
      if (now.monotonic < this.#dueAt || this.#underWay > 0) return
      const users = base.accounts.keys()
      this.#round = { base, users, waiting: null, cuts: new Map(), more: false }
    }
    this.#goOn(this.#round)
  }

  #goOn(round: Round): void {
    for (let i = 0; i < ACCOUNTS_A_TICK && this.#underWay < COMMANDS_UNDER_WAY; i++) {
      const next = round.waiting ?? round.users.next().value
      if (next === undefined) return this.#end(round.more ? 0 : this.#config.everyMs)
      round.waiting = null
      const rule = this.ruleOf(next)
      if (keepsAll(rule) || round.base.sizes.of(next) === 0) continue
      const cut = rule.age > 0 ? round.cuts.get(rule.age) : { index: 0, at: 0 }
      if (!cut) {
        round.waiting = next
        return this.#seek(round, rule.age)
      }
      if (!this.#order(round, next, rule, cut)) return this.#end(this.#config.everyMs)
    }
  }

  #end(pauseMs: number): void {
    this.#round = null
    this.#dueAt = this.#context.now.monotonic + pauseMs
  }

  /** Asks the log once which messages are older than the age. */
  #seek(round: Round, age: number): void {
    if (this.#seeking?.round === round && this.#seeking.age === age) return
    this.#seeking = { round, age }
    const at = this.#context.clocks.timeAfter(round.base.time)
    this.#queries.seek(Math.max(0, at - age), (index) => {
      if (this.#round !== round) return
      this.#seeking = null
      if (index === null) this.#end(this.#config.everyMs)
      else round.cuts.set(age, { index, at })
    })
  }

  /** False: no order can be given now. */
  #order(round: Round, user: string, rule: RetentionRule, { index, at }: Cut): boolean {
    const { sizes, marks } = round.base
    const { through, messages } = sizes.expired(user, rule, index, MOST_MESSAGES)
    if (messages === 0) return true
    if (messages === MOST_MESSAGES) round.more = true
    const { read } = marks.of(user)
    const wish = round.base.retention(user)
    this.#underWay++
    const command = { kind: 'expire', user, through, read, at, ...wish } as const
    const refused = this.#submission.submit(command, false, {
      placed: () => {},
      fail: () => this.#underWay--,
      answer: ({ meta }) => {
        this.#underWay--
        if (meta.kind === KIND.expired) this.expired += messages
      },
    })
    if (refused) this.#underWay--
    return !refused
  }
}
