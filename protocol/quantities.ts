// Ages and sizes as people write them, such as 30d and 5MB.

const AGE_UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

export const AGE_FORM = 'a whole number above 0 with s, m, h or d, such as 30d'
export const SIZE_FORM = 'a whole number above 0 with B, kB, MB, GB, KiB, MiB or GiB, such as 5MB'

function parsed(text: string, units: Readonly<Record<string, number>>): number | null {
  const [, digits, unit] = /^(\d{1,12})\s?([A-Za-z]*)$/.exec(text) ?? []
  const factor = unit === undefined || !Object.hasOwn(units, unit) ? undefined : units[unit]
  const value = Number(digits) * (factor ?? 0)
  return value > 0 && Number.isSafeInteger(value) ? value : null
}

/** Milliseconds; null: the text is not of the form. */
export function parseAge(text: string): number | null {
  return /[a-z]$/.test(text) ? parsed(text, AGE_UNITS) : null
}

/** Bytes; null: the text is not of the form. A number without a unit is bytes. */
export function parseSize(text: string): number | null {
  return parsed(text, SIZE_UNITS)
}

/** In the largest unit that gives a whole number. */
export function formatAge(ms: number): string {
  const unit = Object.entries(AGE_UNITS).findLast(([, factor]) => ms % factor === 0)
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms} ms`
}

export function formatSize(bytes: number): string {
  const unit = ['GB', 'MB', 'kB'].find((name) => bytes % (SIZE_UNITS[name] ?? 1) === 0)
  return unit ? `${bytes / SIZE_UNITS[unit]!}${unit}` : `${bytes}B`
}
