// The text of a key file: PEM blocks (RFC 7468) among other text, such as the attributes that
// OpenSSL prints before a block, and files that are no PEM. A file that holds no RSA key here is
// named, with the command that converts it.

import { DerReader } from './der.js'
import { RsaError } from './rsa-error.js'

/** A block of PEM, with its lines. */
export interface PemBlock {
  readonly label: string
  readonly text: string
}

/** Blanks at both ends of a line are ignored (RFC 7468 section 2), so an indented block is read. */
const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/
/** A byte order mark, decoded as UTF-8 or as Latin-1. */
const BYTE_ORDER_MARK = /^(?:\ufeff|\u00ef\u00bb\u00bf)/

/** All blocks, in order. A block without its end reaches to the end of the text. */
export function pemBlocksOf(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  let [label, lines]: [string | undefined, string[]] = [undefined, []]
  for (const line of text.replace(BYTE_ORDER_MARK, '').split(/\r?\n|\r/)) {
    const trimmed = line.trim()
    label ??= BEGIN.exec(trimmed)?.[1]
    if (label === undefined) continue
    lines.push(trimmed)
    if (trimmed !== `-----END ${label}-----`) continue
    blocks.push({ label, text: `${lines.join('\n')}\n` })
    ;[label, lines] = [undefined, []]
  }
  if (label !== undefined) blocks.push({ label, text: lines.join('\n') })
  return blocks
}

/** The octets of a block; RsaError `encoding` unless it is whole, and canonical base64. */
export function derOf({ label, text }: PemBlock): Uint8Array {
  // RFC 1421's form, older than PKCS#8, derives its key by one MD5 of the passphrase.
  if (/^Proc-Type: *4,ENCRYPTED/m.test(text)) {
    throw pemError(
      'its encryption is of an old form; openssl pkey -in KEY -aes256 -out NEW converts it',
    )
  }
  const end = `-----END ${label}-----\n`
  if (!text.endsWith(end)) throw pemError(`there is no line -----END ${label}-----`)
  const base64 = text.slice(text.indexOf('\n'), -end.length).replace(/\s/g, '')
  const der = Buffer.from(base64, 'base64')
  if (der.toString('base64') !== base64) throw pemError('the base64 is not canonical')
  return new Uint8Array(der)
}

interface Foreign {
  readonly sign: RegExp
  readonly what: string
}

const OPENSSH = 'cp KEY NEW && ssh-keygen -p -m PKCS8 -f NEW'
const PUTTY = 'puttygen KEY -O private-openssh-new -o NEW && ssh-keygen -p -m PKCS8 -f NEW'
const SSH2 = 'ssh-keygen -i -f KEY > NEW.pub && ssh-keygen -e -m PKCS8 -f NEW.pub > NEW'

/** Files of other programs by a part of their text. */
const FOREIGN: readonly Foreign[] = [
  {
    sign: /^-----BEGIN OPENSSH PRIVATE KEY-----/m,
    what: `it is a private key of OpenSSH; ${OPENSSH} converts it`,
  },
  {
    sign: /^ssh-rsa AAAA/m,
    what: 'it is a public key of OpenSSH; ssh-keygen -e -m PKCS8 -f KEY > NEW converts it',
  },
  {
    sign: /^---- BEGIN SSH2 PUBLIC KEY ----/m,
    what: `it is a public key of SSH (RFC 4716); ${SSH2} converts it`,
  },
  {
    sign: /^PuTTY-User-Key-File-/m,
    what: `it is a key of PuTTY; ${PUTTY} converts it`,
  },
  { sign: /^-----BEGIN PGP /m, what: 'it is of OpenPGP, whose keys cannot be used here' },
  {
    sign: /^-----BEGIN (?:EC|DSA) PRIVATE KEY-----/m,
    what: 'it is a key of another algorithm, and only RSA is known; troca rsa gen --out NEW makes one',
  },
  {
    sign: /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m,
    what: 'it is a certificate; openssl x509 -in FILE -pubkey -noout > NEW gives its public key',
  },
  {
    sign: /^-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/m,
    what: 'it is a certificate request; openssl req -in FILE -pubkey -noout > NEW gives its public key',
  },
  {
    sign: /^\s*\{\s*"/,
    what: 'it is JSON; publicKeyFromJwk and privateKeyFromJwk of troca/rsa read a JWK',
  },
]

/** What the text is, and how it is converted; undefined if nothing is known of it. */
export function foreignText(text: string): string | undefined {
  return FOREIGN.find(({ sign }) => sign.test(text))?.what
}

/**
 * Gives the text of a key file: PEM in UTF-8 or UTF-16, with or without a byte order mark, as it
 * is; DER as a block of PEM.
 *
 * @param octets - The file.
 * @returns Text that the other functions take.
 * @throws RsaError `encoding` for DER that is not of a key.
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { pemFromFile, publicKeyFromPem } from 'troca/rsa'
 *
 * console.log(publicKeyFromPem(pemFromFile(readFileSync('public.der'))).bits)
 * ```
 */
export function pemFromFile(octets: Uint8Array): string {
  const [first, second] = octets
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(octets)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(octets)
  const text = Buffer.from(octets).toString('utf8')
  const isDer = first === 0x30 && !text.includes('-----BEGIN ')
  return isDer ? toPem(labelOf(octets), octets) : text
}

const LINE = 64

/** One block. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64')
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** The label of a key's DER, by its first elements. */
function labelOf(der: Uint8Array): string {
  const outer = new DerReader(der)
  const first = outer.sequence()
  outer.end()
  if (first.nextIs('sequence')) {
    first.sequence()
    if (first.nextIs('octetString')) return 'ENCRYPTED PRIVATE KEY'
    if (first.nextIs('bitString')) return 'PUBLIC KEY'
    // Certificates and requests are SEQUENCE, SEQUENCE, BIT STRING.
    const advice = 'openssl x509 -inform DER -in FILE -pubkey -noout > NEW gives its public key'
    throw new RsaError('encoding', `it is DER, perhaps of a certificate; ${advice}`)
  }
  const version = first.integer()
  if (first.nextIs('sequence')) {
    if (version <= 1n) return 'PRIVATE KEY'
    const advice = 'openssl pkcs12 -in FILE -nocerts -out NEW gives its private key'
    throw new RsaError('encoding', `it is DER, perhaps of PKCS#12; ${advice}`)
  }
  if (first.nextIs('octetString')) return 'EC PRIVATE KEY'
  first.integer()
  return first.isAtEnd ? 'RSA PUBLIC KEY' : 'RSA PRIVATE KEY'
}

export function pemError(reason: string): RsaError {
  return new RsaError('encoding', `not PEM of an RSA key: ${reason}`)
}
