// What can go wrong for a client. Codes of the service are those of its error catalogue; the
// client's own begin at 401. `definite` says that the thing asked for certainly did not happen.

import { ERRORS, errorName } from '../protocol/errors.js'
import type { ErrorName } from '../protocol/errors.js'

const CLIENT_ERRORS = {
  TIMEOUT: { code: 401, retriable: true, hint: 'troca status shows what is missing' },
  UNREACHABLE: { code: 402, retriable: true, hint: 'is the cluster up? troca status' },
  CLOSED: { code: 403, retriable: false, hint: 'connect again' },
  ABORTED: { code: 404, retriable: false, hint: 'the caller gave up' },
  UNTRUSTED_KEY: {
    code: 406,
    retriable: false,
    hint: 'compare fingerprints by another way, then: troca keys trust NAME --fingerprint ...',
  },
  NO_KEYS: {
    code: 407,
    retriable: false,
    hint: 'copy keys/NAME.json of the cluster folder here, from where it was registered',
  },
  NOT_END_TO_END: {
    code: 408,
    retriable: false,
    hint: 'without --e2e it is sent so that the service can read it',
  },
  BROKEN_PEER: { code: 405, retriable: false, hint: 'check address and version of the server' },
} as const

/** The errors that a client finds by itself. */
export type ClientErrorName = keyof typeof CLIENT_ERRORS
/** What {@link TrocaError.name} may be; `UNKNOWN` is a code of a newer service. */
export type TrocaErrorName = ErrorName | ClientErrorName | 'UNKNOWN'

interface Facts {
  readonly code: number
  readonly retriable: boolean
  readonly definite: boolean
  readonly hint: string
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/**
 * What every operation of a client rejects with: `name` to switch on, `definite` to decide whether
 * to ask again, `hint` to show to people.
 *
 * @example
 * ```ts
 * import { TrocaError } from 'troca'
 *
 * try {
 *   await client.send('alice', 'olá')
 * } catch (error) {
 *   if (!(error instanceof TrocaError)) throw error
 *   if (error.name === 'RATE_LIMITED') console.log(`again in ${error.retryAfterMs} ms`)
 *   else console.log(`${error.message}: ${error.hint}`)
 * }
 * ```
 */
export class TrocaError extends Error {
  /** Stable, as `code`. */
  override readonly name: TrocaErrorName
  /** Of the catalogue in docs/PROTOCOL.md; the client's own begin at 401. */
  readonly code: number
  /** The same request may succeed later. */
  readonly retriable: boolean
  /** The thing asked for certainly did not happen; false: it may have. */
  readonly definite: boolean
  /** What to do next. */
  readonly hint: string
  /** How long the service asks to wait, where it says so. */
  readonly retryAfterMs: number | undefined

  /** @internal */
  constructor(name: TrocaErrorName, text: string, facts: Facts) {
    super(text, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = name
    this.code = facts.code
    this.retriable = facts.retriable
    this.definite = facts.definite
    this.hint = facts.hint
    this.retryAfterMs = facts.retryAfterMs
  }
}

/** What an ERROR message of the service says. */
export interface Refusal {
  readonly code: number
  readonly text: string
  readonly definite: boolean
  readonly retryAfter: number | null
}

export function fromRefusal(refusal: Refusal): TrocaError {
  const name = errorName(refusal.code)
  const kind = name ? ERRORS[name] : { text: 'an unknown error', retriable: false, hint: 'upgrade' }
  return new TrocaError(name ?? 'UNKNOWN', refusal.text || kind.text, {
    code: refusal.code,
    retriable: kind.retriable,
    definite: refusal.definite,
    hint: kind.hint,
    retryAfterMs: refusal.retryAfter ?? undefined,
  })
}

/** An error of the service's catalogue that the client finds by itself, before anything is sent. */
export function refusedHere(name: ErrorName, text: string = ERRORS[name].text): TrocaError {
  return fromRefusal({ code: ERRORS[name].code, text, definite: true, retryAfter: null })
}

export function clientError(
  name: ClientErrorName,
  text: string,
  definite: boolean,
  cause?: unknown,
  retryAfterMs?: number,
): TrocaError {
  return new TrocaError(name, text, { ...CLIENT_ERRORS[name], definite, cause, retryAfterMs })
}

/** Refused before it could enter the order: this try certainly left no trace. */
export function refusedBeforeOrder(refusal: Refusal): boolean {
  return refusal.definite && refusal.code >= 200 && refusal.code < 300
}
