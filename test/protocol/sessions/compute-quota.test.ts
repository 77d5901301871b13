// Quotas of computations, without workers: the test decides when each computation ends.

import t from 'tap'
import type { LinkId } from '../../../protocol/machine/machine.js'
import type { The } from '../../../protocol/messages/catalogue.js'
import { ProcessingContext } from '../../../protocol/processing/context.js'
import type { JobResult } from '../../../protocol/machine/compute.js'
import type { AccountSecrets } from '../../../protocol/envelope/secrets.js'
import { LIMITS, TIMINGS, type Limits } from '../../../protocol/machine/config.js'
import { ComputeQuota, type AccountJob } from '../../../protocol/sessions/compute-quota.js'
import type { Session } from '../../../protocol/sessions/session.js'
import { readKey, seal } from '../../simulator/compute.js'

const HERE = '192.0.2.1'
const ELSEWHERE = '198.51.100.1'
const WRONG: JobResult = { kind: 'unlock', privateKeys: null }
const RIGHT: JobResult = { kind: 'unlock', privateKeys: [] }

const unlock = (user: string, secrets: AccountSecrets | null = null): AccountJob => {
  return { kind: 'unlock', user, password: 'p', secrets }
}
const create = (user: string): AccountJob => {
  return { kind: 'create-account', user, password: 'p', bits: 2048, keys: null }
}

class Desk {
  readonly context: ProcessingContext
  readonly refused: The<'ERROR'>[] = []
  readonly #quota: ComputeQuota

  constructor(limits: Partial<Limits> = {}) {
    const numbers = { self: 1, slots: 1, stores: 1 }
    this.context = new ProcessingContext({
      ...{
        clusterId: 'c',
        historyId: 'first',
        boot: 'b',
        ...numbers,
        timings: TIMINGS,
        registration: 'open',
      },
      ...{ seal, readKey, entropy: (bytes: number) => new Uint8Array(bytes) },
      limits: { ...LIMITS, ...limits },
    })
    this.context.now = { monotonic: 0, wall: 0 }
    this.#quota = new ComputeQuota(this.context, {
      reply: (_session, error) => this.refused.push(error as The<'ERROR'>),
      isConnected: () => true,
    })
  }

  /** The token of the computation, or the error. */
  ask(origin: string, job: AccountJob): number | The<'ERROR'> {
    const nobody = { user: null, privateKeys: [], clientHeld: false, version: 0 }
    const session: Session = {
      ...{ link: 1 as LinkId, origin, ...nobody, unanswered: 0, held: false },
    }
    this.#quota.run(session, 1, job, () => {})
    const [effect] = this.context.outbox.take()
    return effect?.type === 'compute' ? effect.token : this.refused.at(-1)!
  }

  end(token: number | The<'ERROR'>, result: JobResult): void {
    this.context.outbox.onComputed(token as number, result)
  }

  fail(origin: string, name: string, times: number): void {
    for (let i = 0; i < times; i++) this.end(this.ask(origin, unlock(name)), WRONG)
  }
}

const code = (answer: unknown): unknown => (answer as { code?: number }).code ?? 'computed'

t.test('wrong passwords cost a wait here, not elsewhere, whether or not the user exists', (t) => {
  const desk = new Desk({ wrongPasswords: 3 })
  const secrets = {} as AccountSecrets
  for (const name of ['alice', 'nobody']) desk.fail(HERE, name, 3)
  const known = desk.ask(HERE, unlock('alice', secrets))
  const unknown = desk.ask(HERE, unlock('nobody'))
  t.match(known, { code: 209, retryAfter: 1_000, definite: true, text: /again in 1 s/ })
  t.same(known, unknown, 'known and unknown users get the same answer')
  t.equal(code(desk.ask(ELSEWHERE, unlock('alice', secrets))), 'computed')
  t.equal(code(desk.ask(HERE, unlock('bob'))), 'computed')
  desk.context.now = { monotonic: 1_000, wall: 0 }
  const again = desk.ask(HERE, unlock('alice', secrets))
  t.equal(code(again), 'computed')
  t.equal(code(desk.ask(HERE, unlock('alice', secrets))), 211, 'one at a time from then on')
  desk.end(again, RIGHT)
  for (let i = 0; i < 3; i++) t.equal(code(desk.ask(HERE, unlock('alice', secrets))), 'computed')
  t.end()
})

t.test('passwords guessed all at once gain no further tries', (t) => {
  const desk = new Desk()
  const asked = Array.from({ length: 200 }, () => desk.ask(HERE, unlock('alice')))
  const begun = asked.filter((one) => code(one) === 'computed')
  t.ok(begun.length < 20, `${begun.length} of 200 were computed`)
  for (const one of begun) desk.end(one, WRONG)
  t.equal(code(desk.ask(HERE, unlock('alice'))), 209)
  t.end()
})

t.test('an address and an account have a share each, which ended computations give back', (t) => {
  const desk = new Desk({ computations: 8, computationsPerAddress: 4 })
  const first = desk.ask(HERE, unlock('a0'))
  for (let i = 1; i < 4; i++) t.equal(code(desk.ask(HERE, unlock(`a${i}`))), 'computed')
  t.equal(code(desk.ask(HERE, unlock('a4'))), 211)
  t.equal(code(desk.ask(ELSEWHERE, unlock('a5'))), 'computed', 'others have room')
  desk.end(first, { kind: 'failed', reason: '' })
  t.equal(code(desk.ask(HERE, unlock('a4'))), 'computed')
  const one = new Desk({ computations: 8 })
  for (let i = 0; i < 4; i++) t.equal(code(one.ask(`10.0.0.${i}`, unlock('alice'))), 'computed')
  t.equal(code(one.ask('10.0.0.9', unlock('alice'))), 201)
  t.equal(code(one.ask('10.0.0.9', unlock('bob'))), 'computed', 'others have room')
  t.end()
})

t.test('registrations of an address are bounded at once and per minute', (t) => {
  const desk = new Desk({ registrationsPerMinute: 3, computationsPerAddress: 16 })
  const begun = [desk.ask(HERE, create('a')), desk.ask(HERE, create('b'))]
  t.same(begun.map(code), ['computed', 'computed'])
  t.equal(code(desk.ask(HERE, create('c'))), 211, 'a key weighs more than a log-in')
  for (const one of begun) desk.end(one, { kind: 'bad-keys' })
  desk.end(desk.ask(HERE, create('c')), { kind: 'bad-keys' })
  const late = desk.ask(HERE, create('d'))
  t.match(late, { code: 210, retryAfter: 20_000 })
  t.equal(code(desk.ask(ELSEWHERE, create('d'))), 'computed')
  desk.context.now = { monotonic: 20_000, wall: 0 }
  t.equal(code(desk.ask(HERE, create('d'))), 'computed')
  t.end()
})
