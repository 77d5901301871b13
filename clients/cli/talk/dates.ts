// Dates that people type.

import { EXIT, Failure } from '../failure.js'

const DATE_ALONE = /^\d{4}-\d{2}-\d{2}$/

/** Ms since 1970. A date that names no zone is in that of this machine, as all dates are shown. */
export function parseDate(flag: string, text: string): number {
  const ms = Date.parse(DATE_ALONE.test(text) ? `${text}T00:00` : text)
  if (!Number.isNaN(ms)) return ms
  const wanted = 'a date such as 2026-11-30 or "2026-11-30 18:04"'
  throw new Failure(EXIT.usage, `${flag} ${text}: needed: ${wanted}`)
}
