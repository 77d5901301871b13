// Notes on stderr: whether the service can read a mailbox or a message, and news of contacts' keys.

import type { Account } from '../accounts.js'
import type { KeyNotice } from '../e2e/known-keys.js'
import { note, paintNote } from './output.js'
import { say } from './texts.js'
import type { TextName } from './texts.js'

const TEXT_OF: Record<KeyNotice['what'], TextName> = {
  first: 'keysFirst',
  rotated: 'keysRotated',
  changed: 'keysChanged',
  untrusted: 'keysUntrusted',
}

export function sayKeys({ name, what, held, fingerprint, before }: KeyNotice): void {
  const known = what === 'first' && held === 'service' ? 'keysOfService' : TEXT_OF[what]
  const text = say(known, { name, fingerprint: fingerprint || '?', before: before || '?' })
  note(what === 'untrusted' ? paintNote.bold(paintNote.red(text)) : text)
}

/** Says, before a mailbox is shown, whether the service can read it. */
export function sayMode({ name, held }: Account): void {
  note(say(held === 'client' ? 'modeEndToEnd' : 'modeService', { name }))
}

/** The holder of an account's keys, in words. */
export function modeOf({ held }: Pick<Account, 'held'>): string {
  return say(held === 'client' ? 'heldByClient' : 'heldByService')
}

/** Whether the service can read a sent message, in words. */
export function readableBy({ endToEnd }: { readonly endToEnd: boolean }): string {
  return say(endToEnd ? 'byEndToEnd' : 'byService')
}
