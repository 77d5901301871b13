// The errors of a client. The service's codes are those of its error catalogue; the client's own
// begin at 401. `definite` is true if the requested change certainly did not happen.

import { ERRORS, errorName } from '../protocol/errors.js'
import type { ErrorName } from '../protocol/errors.js'

const CLIENT_ERRORS = {
  TIMEOUT: { code: 401, retriable: true, hint: 'troca status shows which replicas are missing' },
  UNREACHABLE: { code: 402, retriable: true, hint: 'is the cluster up? troca status' },
  CLOSED: { code: 403, retriable: false, hint: 'connect again' },
  ABORTED: { code: 404, retriable: false, hint: 'the signal of the caller ended it' },
  UNTRUSTED_KEY: {
    code: 406,
    retriable: false,
    hint: 'compare fingerprints by another way, then: troca keys trust NAME --fingerprint ...',
  },
  NO_KEYS: {
    code: 407,
    retriable: false,
    hint: 'copy keys/NAME.json from the cluster folder of the machine that registered the account',
  },
  NOT_END_TO_END: {
    code: 408,
    retriable: false,
    hint: 'without --e2e the message is sent, and the service can read it',
  },
  HISTORY_CHANGED: {
    code: 409,
    retriable: false,
    hint: 'the log was restored or recovered: read the inbox, and repeat what is missing there',
  },
  BROKEN_PEER: {
    code: 405,
    retriable: false,
    hint: 'check the address and the version of the server',
  },
} as const

/** Names of the errors that the client itself finds. */
export type ClientErrorName = keyof typeof CLIENT_ERRORS
/** Values of {@link TrocaError.name}; `UNKNOWN` stands for a code of a newer service. */
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
 * The error that every operation of a client rejects with. Switch on `name`, decide by `definite`
 * whether to repeat the operation, show `hint` to people.
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
  /** Stable name of the error. */
  override readonly name: TrocaErrorName
  /** Stable code, from the catalogue in docs/PROTOCOL.md; the client's own begin at 401. */
  readonly code: number
  /** The same request may succeed later. */
  readonly retriable: boolean
  /** true: the requested change certainly did not happen; false: it may have happened. */
  readonly definite: boolean
  /** The next step, as a text for people. */
  readonly hint: string
  /** How long the service asks to wait, if it does. */
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

/** The content of an ERROR message. */
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

/** An error of the service's catalogue that the client finds before it sends anything. */
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

/** True for a refusal before the total order: this try certainly changed nothing. */
export function refusedBeforeOrder(refusal: Refusal): boolean {
  return refusal.definite && refusal.code >= 200 && refusal.code < 300
}
