// The cluster's authority by its fingerprint, which people compare before they trust it.

import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, Failure } from './failure.js'
import { note } from './output.js'
import { askLine } from './password.js'
import { sayMachine } from './machine-texts.js'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** SHA-256 fingerprints of the certificates in a PEM text: "AB:CD:...". */
export function fingerprintsOf(pem: string): string[] {
  return (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block).fingerprint256)
}

/** Those of ca.pem in a folder; empty: the cluster has none. */
export function fingerprintsIn(dir: string): string[] {
  const file = join(dir, 'ca.pem')
  return existsSync(file) ? fingerprintsOf(readFileSync(file, 'utf8')) : []
}

export function noteAuthority(fingerprints: readonly string[]): void {
  for (const fingerprint of fingerprints) note(sayMachine('authorityIs', { fingerprint }))
}

const bare = (fingerprint: string): string =>
  fingerprint
    .toLowerCase()
    .replace(/^sha-?256[:=]/, '')
    .replace(/[^0-9a-f]/g, '')

/**
 * Compares the authority with the given fingerprint, or shows it and asks. Throws a Failure unless
 * it is trusted.
 */
export async function confirmAuthority(
  fingerprints: readonly string[],
  expected: string | undefined,
): Promise<void> {
  if (expected !== undefined) {
    if (fingerprints.length > 0 && fingerprints.every((one) => bare(one) === bare(expected))) return
    const fingerprint = fingerprints.join(' ') || 'none'
    throw new Failure(EXIT.authentication, sayMachine('authorityOther', { fingerprint }))
  }
  noteAuthority(fingerprints)
  const answer = process.stdin.isTTY ? await askLine(sayMachine('confirmAuthority')) : ''
  if (/^(yes|sim)$/i.test(answer.trim())) return
  throw new Failure(EXIT.authentication, sayMachine('authorityUnconfirmed'))
}
