// Searches for secrets in files, answers and processes, in every form that careless code would
// write them in: raw, hexadecimal, base64 at any alignment, decimal, lists of bytes.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RsaPrivateKey } from '../../protocol/rsa/index.js'

/** Bytes that must be found nowhere or, if they are a marker, somewhere. */
export interface Needle {
  readonly what: string
  readonly form: string
  readonly octets: Buffer
}

/** A place to search. */
export interface Place {
  readonly name: string
  readonly octets: Buffer
}

/** Bytes of a number to search for: a false hit has probability 2^-192. */
const FRAGMENT = 24
const DECIMAL_DIGITS = 40

export function needlesOfText(what: string, text: string): Needle[] {
  return [...formsOf(what, Buffer.from(text)), { what, form: 'UTF-16', octets: utf16(text) }]
}

/** Needles of an integer: two stretches of its octets, and its decimal digits. */
export function needlesOfNumber(what: string, x: bigint): Needle[] {
  const hex = x.toString(16)
  const octets = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  const stretches = [octets.subarray(3, 3 + FRAGMENT), octets.subarray(-FRAGMENT - 5, -5)]
  const decimal = Buffer.from(x.toString().slice(0, DECIMAL_DIGITS))
  return [
    ...stretches.flatMap((stretch) => formsOf(what, stretch)),
    { what, form: 'decimal', octets: decimal },
  ]
}

const PRIVATE = ['d', 'p', 'q', 'dP', 'dQ', 'qInv'] as const

export function needlesOfKey(what: string, key: RsaPrivateKey): Needle[] {
  return PRIVATE.flatMap((name) => needlesOfNumber(`${name} of ${what}`, key[name]))
}

function formsOf(what: string, octets: Buffer): Needle[] {
  const hex = octets.toString('hex')
  const texts = {
    hex,
    'upper-case hex': hex.toUpperCase(),
    bytes: octets.join(''),
    ...Object.fromEntries([0, 1, 2].map((shift) => [`base64 at ${shift}`, base64(octets, shift)])),
  }
  return [
    { what, form: 'raw', octets },
    ...Object.entries(texts).flatMap(([form, text]) => [
      { what, form, octets: Buffer.from(text) },
      ...(/[+/]/.test(text)
        ? [{ what, form: `${form}, url`, octets: Buffer.from(urlSafe(text)) }]
        : []),
    ]),
  ]
}

/** Base64 digits that depend on `octets` alone, `shift` octets into a group of three. */
function base64(octets: Buffer, shift: number): string {
  const digits = Buffer.concat([Buffer.alloc(shift), octets])
    .toString('base64')
    .replace(/=+$/, '')
  const start = [0, 2, 3][shift]!
  return digits.slice(start, (shift + octets.length) % 3 === 0 ? undefined : -1)
}

function urlSafe(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_')
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le')
}

/**
 * Needles found, with their places. Line ends, blanks and commas between digits are ignored too.
 */
export function search(places: readonly Place[], needles: readonly Needle[]): string[] {
  return places.flatMap(({ name, octets }) => {
    const joined = Buffer.from(octets.toString('latin1').replace(/\\n|[\s,]/g, ''), 'latin1')
    const found = needles.filter(
      (needle) => octets.includes(needle.octets) || joined.includes(needle.octets),
    )
    return found.map(({ what, form }) => `${what} (${form}) in ${name}`)
  })
}

export const fileAt = (name: string): Place => ({ name, octets: readFileSync(name) })

export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** /proc entries of other processes that name `directory`. */
export function processesOf(directory: string): Place[] {
  const pids = existsSync('/proc/self')
    ? readdirSync('/proc').filter((pid) => /^\d+$/.test(pid))
    : []
  return pids.flatMap((pid) => {
    try {
      const shown = ['cmdline', 'comm', 'environ'].map((name) => fileAt(`/proc/${pid}/${name}`))
      const ours = shown.some(({ octets }) => octets.includes(directory))
      return ours && pid !== String(process.pid) ? shown : []
    } catch {
      // The process has ended meanwhile, or belongs to another user.
      return []
    }
  })
}
