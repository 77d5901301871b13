// The ERROR frame that refuses a request.

import { ERRORS, type ErrorName } from '../errors.js'
import type { The } from './catalogue.js'

/** Overrides of the error's row in the catalogue. */
export interface RefusalExtra {
  /** Milliseconds to wait; null: another try is of no use. */
  readonly retryAfter?: number | null
  readonly expected?: number
  readonly definite?: boolean
}

/** The ERROR frame for one of the catalogue's errors. */
export function refusal(
  request: number,
  name: ErrorName,
  detail = '',
  extra: RefusalExtra = {},
): The<'ERROR'> {
  const { code, text, hint, definite, retriable } = ERRORS[name]
  return {
    type: 'ERROR',
    request,
    code,
    text: `${text}${detail && ` (${detail})`}: ${hint}`,
    definite: extra.definite ?? definite,
    retryAfter: extra.retryAfter === undefined && retriable ? 100 : (extra.retryAfter ?? null),
    expected: extra.expected ?? null,
  }
}
