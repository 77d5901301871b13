// A finding of the doctor: what was checked, its state, and what to do next.

import { sayIn } from '../texts.js'
import { DOCTOR_TEXTS } from './texts.js'
import type { DoctorText } from './texts.js'

export type Verdict = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** Stable name of the check, for programs. */
  readonly check: string
  /** The replica or the file that was checked; '': neither. */
  readonly subject: string
  readonly verdict: Verdict
  readonly text: string
  readonly next?: string
}

type Values = Record<string, string | number>

function told(name: DoctorText, values: Values): string {
  return sayIn(DOCTOR_TEXTS, name, values)
}

/** The check passed. */
export function fine(
  check: string,
  subject: string,
  text: DoctorText,
  values: Values = {},
): Finding {
  return { check, subject, verdict: 'ok', text: told(text, values) }
}

/** The check failed, or needs attention; `next` is the text of what to do. */
export function fault(
  verdict: 'warn' | 'fail',
  check: string,
  subject: string,
  [text, next]: readonly [DoctorText, DoctorText],
  values: Values = {},
): Finding {
  return { check, subject, verdict, text: told(text, values), next: told(next, values) }
}
