// Passwords that an account may have. The check is at the choice of a password, not at a log-in:
// an account keeps the password that it has, whatever the floor is later.

/** Bytes of a password on the wire at the most. */
export const MAX_PASSWORD_BYTES = 1024

/** Controls (NUL, tab, line breaks ...), line and paragraph separators, lone surrogates. */
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u

/**
 * RFC 8265 section 4.2.2: composed and decomposed characters make the same password. Everything
 * that is derived from a password is derived from this form.
 */
export function normalForm(password: string): string {
  return password.normalize('NFC')
}

/** The reason why a new password is refused; null: none. `least`: characters that it needs. */
export function whyUnusable(password: string, least: number): string | null {
  const text = normalForm(password)
  if (FORBIDDEN.test(text)) return 'it has a control character, such as a tab or a line break'
  if (text === '') return 'it is empty'
  const length = Array.from(text).length
  if (length < least) return `it has ${length} of the ${least} characters that are needed`
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_PASSWORD_BYTES) return `it has ${bytes} bytes; ${MAX_PASSWORD_BYTES} are the most`
  return null
}
