// The failure of a command: an exit code and a sentence for people. For an unanswered request the
// sentence says which replicas are missing, from the cluster's status.

import type { Client } from '../client.js'
import type { ClusterStatus } from '../cluster-status.js'
import { TrocaError } from '../errors.js'
import { note, outputIsClosed, paintNote, resultJson } from './output.js'
import { say, sayError } from './texts.js'

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  authentication: 4,
  timedOut: 5,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** `message` is for people, `exitCode` for scripts. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: ExitCode
  readonly facts: Record<string, unknown>

  constructor(exitCode: ExitCode, text: string, facts: Record<string, unknown> = {}) {
    super(text)
    this.exitCode = exitCode
    this.facts = facts
  }
}

const EXIT_OF: Partial<Record<string, ExitCode>> = {
  BAD_CREDENTIALS: EXIT.authentication,
  NOT_LOGGED_IN: EXIT.authentication,
  FORBIDDEN: EXIT.authentication,
  SESSION_ENDED: EXIT.authentication,
  TOO_MANY_ATTEMPTS: EXIT.authentication,
  NO_KEYS: EXIT.authentication,
  BROKEN_PEER: EXIT.unreachable,
  UNREACHABLE: EXIT.unreachable,
  NO_QUORUM: EXIT.unreachable,
  NOT_READY: EXIT.unreachable,
  SHUTTING_DOWN: EXIT.unreachable,
  TIMEOUT: EXIT.timedOut,
}

/** "1 of 3 persistence replicas reachable (s1); 2 needed; missing: s2, s3." */
export function whatIsMissing(status: ClusterStatus): string {
  const name = (replica: { tier: string; slot: number }): string =>
    `${replica.tier === 'processing' ? 'p' : 's'}${replica.slot}`
  const stores = status.replicas.filter((replica) => replica.tier === 'persistence')
  const up = stores.filter((replica) => replica.reachable).map(name)
  const sentences: string[] = []
  if (up.length < stores.length) {
    const missing = stores.filter((replica) => !replica.reachable).map(name)
    sentences.push(
      say('persistenceMissing', {
        reachable: up.length,
        all: stores.length,
        names: up.length > 0 ? ` (${up.join(', ')})` : '',
        needed: status.needed,
        missing: missing.join(', '),
      }),
    )
  }
  const away = status.replicas.filter((other) => other.tier === 'processing' && !other.reachable)
  if (away.length > 0) {
    sentences.push(say('processingMissing', { missing: away.map(name).join(', ') }))
  }
  if (status.coordinator === 0) sentences.push(say('noCoordinator'))
  return sentences.join(' ')
}

const PASSING = new Set(['TIMEOUT', 'NO_QUORUM', 'NOT_READY', 'UNREACHABLE'])

/** Whether a send can be stored now, by the status that one replica gave. */
export function serves(status: ClusterStatus): boolean {
  const up = status.replicas.filter(({ tier, reachable }) => tier === 'persistence' && reachable)
  return status.ready && up.length >= status.needed
}

/**
 * Whether the command sends: not at all; it has begun, so the error's `definite` counts; not yet.
 */
export type Sending = 'no' | 'begun' | 'not-begun'

/** Turns an error of the library into a Failure. */
export async function explain(
  error: unknown,
  client: Client | null,
  sending: Sending,
  withinMs: number,
): Promise<Failure> {
  if (error instanceof Failure) return error
  if (!(error instanceof TrocaError)) {
    return new Failure(EXIT.failed, error instanceof Error ? error.message : String(error))
  }
  const { name, code, retriable, hint } = error
  const definite = error.definite || sending === 'not-begun'
  let exitCode = EXIT_OF[name] ?? EXIT.failed
  const parts = [`${sayError(name, error.message, error.retryAfterMs)}.`]
  if (client && PASSING.has(name)) {
    const status = await client.status({ timeoutMs: withinMs }).catch(() => null)
    if (status && !serves(status)) {
      exitCode = EXIT.unreachable
      const missing = whatIsMissing(status)
      if (missing) parts[0] = missing
    }
  }
  if (sending !== 'no') parts.push(say(definite ? 'notStored' : 'maybeStored'))
  const next = PASSING.has(name) ? 'troca status' : hint
  if (!error.message.includes(next)) parts.push(say('tryThis', { what: next }))
  return new Failure(exitCode, parts.join(' '), { error: name, code, definite, retriable, hint })
}

/** Prints a failure; gives its exit code. */
export function report(failure: Failure, json: boolean): ExitCode {
  if (json && !outputIsClosed())
    resultJson({ ok: false, exitCode: failure.exitCode, text: failure.message, ...failure.facts })
  else note(paintNote.red(failure.message))
  return failure.exitCode
}
