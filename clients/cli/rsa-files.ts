// Input and output of troca rsa: keys in PEM, DER or JWK, and data by file or by stdin and stdout.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { MAX_KEYS } from '../../protocol/schema/shared.js'
import { privateKeyFromJwk, publicKeyFromJwk } from '../../protocol/rsa/jwk.js'
import { pemFromFile } from '../../protocol/rsa/key-text.js'
import { publicKeyOf } from '../../protocol/rsa/keys.js'
import type { RsaPrivateKey, RsaPublicKey } from '../../protocol/rsa/keys.js'
import {
  isEncryptedPem,
  pemBlocks,
  privateKeyFromEncryptedPem,
  privateKeyFromPem,
  publicKeyFromPem,
} from '../../protocol/rsa/pem.js'
import { RsaError } from '../../protocol/rsa/rsa-error.js'
import { EXIT, Failure } from './failure.js'
import { result, resultJson } from './output.js'
import { askPassphrase } from './password.js'
import type { PassphraseFlags } from './password.js'
import { say } from './texts.js'
import { sayRsa } from './rsa-texts.js'

export function entropy(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes))
}

export type Key =
  | { readonly kind: 'private'; readonly key: RsaPrivateKey }
  | { readonly kind: 'public'; readonly key: RsaPublicKey }

export interface KeyFlags extends PassphraseFlags {
  key: string
}

/** Reads and checks the key of a file, private or public by what it holds. Stdin is for data. */
export async function readKey(flags: KeyFlags): Promise<Key> {
  const text = readText(flags.key)
  if (isPrivate(text)) return { kind: 'private', key: await privateKeyOf(text, flags) }
  return { kind: 'public', key: publicKeyOfText(flags.key, text) }
}

export function readPrivateKey(flags: KeyFlags): Promise<RsaPrivateKey> {
  return privateKeyOf(readText(flags.key), flags)
}

/**
 * Reads all private keys of a file. One passphrase opens all, as `troca keys export` writes them.
 */
export async function readPrivateKeys(flags: KeyFlags): Promise<readonly RsaPrivateKey[]> {
  const all = pemBlocks(readText(flags.key))
  // A file may hold the public halves too, which nobody asks for here.
  const blocks = all.some(isPrivate) ? all.filter(isPrivate) : all
  if (blocks.length > MAX_KEYS) {
    throw new Failure(EXIT.failed, `${flags.key}: ${blocks.length} blocks; at most ${MAX_KEYS}`)
  }
  const passphrase = blocks.some(isEncryptedPem) ? await passphraseOf(flags) : ''
  return explained(flags.key, () => blocks.map((pem) => decode(pem, passphrase)))
}

/** Reads all public keys of a file. */
export function readPublicKeys(path: string): readonly RsaPublicKey[] {
  return pemBlocks(readText(path)).map((text) => publicKeyOfText(path, text))
}

async function privateKeyOf(text: string, flags: KeyFlags): Promise<RsaPrivateKey> {
  const passphrase = isEncryptedPem(text) ? await passphraseOf(flags) : ''
  return explained(flags.key, () => decode(text, passphrase))
}

function publicKeyOfText(path: string, text: string): RsaPublicKey {
  return explained(path, () => {
    const jwk = jwkIn(text)
    return jwk ? publicKeyFromJwk(jwk) : publicKeyFromPem(text)
  })
}

function readText(path: string): string {
  return explained(path, () => pemFromFile(readFile(path)))
}

function isPrivate(text: string): boolean {
  return text.includes('PRIVATE KEY-----') || jwkIn(text)?.['d'] !== undefined
}

/** The members of a JWK, if the text is JSON. */
function jwkIn(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    // What is neither JSON nor PEM is named by the reader of PEM.
    return undefined
  }
}

function passphraseOf(flags: KeyFlags): Promise<string> {
  return askPassphrase(flags, { stdinIsTaken: true })
}

function decode(text: string, passphrase: string): RsaPrivateKey {
  const jwk = jwkIn(text)
  if (jwk) return privateKeyFromJwk(jwk, entropy)
  return isEncryptedPem(text)
    ? privateKeyFromEncryptedPem(text, passphrase, entropy)
    : privateKeyFromPem(text, entropy)
}

/** Reads a public key, or the public half of a private one. */
export async function readPublicKey(flags: KeyFlags): Promise<RsaPublicKey> {
  return publicKeyOf((await readKey(flags)).key)
}

function explained<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof RsaError) throw new Failure(EXIT.failed, `${path}: ${error.message}`)
    throw error
  }
}

export function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Failure(EXIT.failed, say('cannotRead', { path, reason: reasonOf(error) }))
  }
}

/** Reads a whole file, or stdin. */
export async function readInput(path: string | undefined): Promise<Uint8Array> {
  return path === undefined ? await buffer(process.stdin) : readFile(path)
}

/** Called before the search for primes, which takes long. */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw new Failure(EXIT.failed, sayRsa('rsaExists', { path }))
}

/** Writes a private key with mode 0600, atomically; over another file only with `force`. */
export function writePrivateKey(path: string, pem: string, force = false): void {
  const written = force ? `${path}.${process.pid}` : path
  try {
    writeFileSync(written, pem, { flag: 'wx', mode: 0o600 })
    if (force) renameSync(written, path)
  } catch (error) {
    const facts = { path, reason: reasonOf(error) }
    const exists = codeOf(error) === 'EEXIST'
    throw new Failure(EXIT.failed, exists ? sayRsa('rsaExists', facts) : say('cannotWrite', facts))
  }
}

/** Writes octets to a file or to stdout; with --json and no file, in base64. */
export function writeOutput(
  { out, json }: { out?: string | undefined; json?: boolean | undefined },
  octets: Uint8Array,
): void {
  if (out !== undefined) {
    try {
      writeFileSync(out, octets)
    } catch (error) {
      throw new Failure(EXIT.failed, say('cannotWrite', { path: out, reason: reasonOf(error) }))
    }
    if (json) resultJson({ out, bytes: octets.length })
  } else if (json) {
    resultJson({ bytes: octets.length, base64: Buffer.from(octets).toString('base64') })
  } else {
    process.stdout.write(octets)
  }
}

export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw new Failure(EXIT.failed, say('cannotWrite', { path, reason: reasonOf(error) }))
  }
}

/** Writes a text to a file or to stdout. */
export function writeText(out: string | undefined, text: string): void {
  if (out === undefined) result(text.trimEnd())
  else writeOutput({ out }, Buffer.from(text))
}

/** Called before the work: binary output could garble a terminal. */
export function refuseTerminal(flags: {
  out?: string | undefined
  json?: boolean | undefined
}): void {
  if (flags.out === undefined && !flags.json && process.stdout.isTTY) {
    throw new Failure(EXIT.usage, sayRsa('rsaBinary'))
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function reasonOf(error: unknown): string {
  const code = codeOf(error)
  const known: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'the path is a directory',
  }
  return known[code ?? ''] ?? String(code ?? error)
}
