// The ERROR frame that turns a request away.

import { ERRORS, type ErrorName } from '../errors.js'
import type { The } from './catalogue.js'

/** The ERROR frame for one of the catalogue's errors. */
export function refusal(
  request: number,
  name: ErrorName,
  detail = '',
  extra: { retryAfter?: number | null; expected?: number; definite?: boolean } = {},
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
