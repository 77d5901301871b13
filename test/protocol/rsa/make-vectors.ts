// Regenerates test/vectors/rsa-openssl.json: OAEP and PSS of the openssl program for every hash
// with every MGF1 hash, over moduli of several sizes. node dist/test/protocol/rsa/make-vectors.js

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HASH_NAMES, hashLength } from '../../../protocol/rsa/hashes.js'
import type { HashName } from '../../../protocol/rsa/hashes.js'
import { oaepCapacity } from '../../../protocol/rsa/oaep.js'
import { pssMaxSaltLength } from '../../../protocol/rsa/pss.js'
import { fixture } from './fixtures.js'

const BITS = [2048, 2049, 2688, 3104] as const
const LABELS = ['', 'label', 'etiqueta 🔑']

const dir = mkdtempSync(join(tmpdir(), 'troca-vectors-'))
const input = join(dir, 'in')

function openssl(...args: string[]): void {
  execFileSync('openssl', ['pkeyutl', '-in', input, '-out', join(dir, 'out'), ...args])
}

function result(): string {
  return readFileSync(join(dir, 'out')).toString('base64')
}

const options = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['-pkeyopt', pair])

function at<T>(items: readonly T[], i: number): T {
  return items[i % items.length]!
}

const pairs = HASH_NAMES.flatMap((hash) =>
  HASH_NAMES.map((mgf1Hash): [HashName, HashName] => [hash, mgf1Hash]),
)

const oaep = pairs.map(([hash, mgf1Hash], i) => {
  const bits = at(BITS, i)
  const label = at(LABELS, i)
  const capacity = oaepCapacity(fixture(bits).key, hash)
  const message = randomBytes(at([0, 16, capacity], i))
  writeFileSync(input, message)
  const labelHex = Buffer.from(label).toString('hex')
  openssl(
    ...['-encrypt', '-inkey', `test/vectors/rsa-${bits}.pem`],
    ...options('rsa_padding_mode:oaep', `rsa_oaep_md:${hash}`, `rsa_mgf1_md:${mgf1Hash}`),
    ...(label === '' ? [] : options(`rsa_oaep_label:${labelHex}`)),
  )
  return { bits, hash, mgf1Hash, label, message: message.toString('base64'), ciphertext: result() }
})

const pss = pairs.map(([hash, mgf1Hash], i) => {
  const bits = at(BITS, i)
  const saltLength = at([hashLength(hash), 0, pssMaxSaltLength(fixture(bits).key, hash)], i)
  const message = randomBytes(24)
  writeFileSync(input, message)
  openssl(
    ...['-sign', '-rawin', '-digest', hash, '-inkey', `test/vectors/rsa-${bits}.pem`],
    ...options('rsa_padding_mode:pss', `rsa_pss_saltlen:${saltLength}`, `rsa_mgf1_md:${mgf1Hash}`),
  )
  const signature = result()
  return { bits, hash, mgf1Hash, saltLength, message: message.toString('base64'), signature }
})

rmSync(dir, { recursive: true })
const madeBy = execFileSync('openssl', ['version']).toString().trim()
writeFileSync('test/vectors/rsa-openssl.json', JSON.stringify({ madeBy, oaep, pss }, null, 1))
