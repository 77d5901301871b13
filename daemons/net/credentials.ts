// A replica's credentials: its certificate, its private key and the authorities that it trusts.
// Invariant: only a certificate and key that fit are used. A pair is two files, so a reader may see
// a new pair half written.

import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { carriesUri } from './identity.js'

/** PEM. */
export interface Credentials {
  /** Authorities trusted: one, or an old and a new one while the new one replaces the old. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

export interface CredentialFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch {
    throw new Error(`${what} cannot be parsed: it may be half written`)
  }
}

export interface Chain {
  readonly own: X509Certificate
  /** The trusted authority that has signed `own`. */
  readonly authority: X509Certificate
}

/** Throws unless key, certificate and authority fit and the certificate is that of `uri`. */
export function checkCredentials({ ca, certificate, key }: Credentials, uri: string): Chain {
  const own = parsed('the certificate', () => new X509Certificate(certificate))
  const privateKey = parsed('the key', () => createPrivateKey(key))
  const blocks = ca.match(BLOCK) ?? []
  const authorities = parsed('ca.pem', () => blocks.map((block) => new X509Certificate(block)))
  if (!own.checkPrivateKey(privateKey)) throw new Error('certificate and key do not fit together')
  const authority = authorities.find(({ publicKey }) => own.verify(publicKey))
  if (!authority) throw new Error('no certificate in ca.pem has signed it')
  if (!carriesUri(own.subjectAltName, uri)) throw new Error(`it is not that of ${uri}`)
  return { own, authority }
}

/** Why the certificate is not valid at `now` (wall-clock ms); null: it is valid. */
export function outsideValidity({ own }: Chain, now: number): string | null {
  const { validFrom, validTo } = own
  if (now < Date.parse(validFrom)) return `not valid before ${validFrom}`
  if (now > Date.parse(validTo)) return `expired on ${validTo}`
  return null
}

export function readCredentials(files: CredentialFiles): Credentials {
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const what = `${file} cannot be read (${code}); tls is on and needs it: troca init --renew`
      throw new Error(what, { cause: error })
    }
  }
  return { ca: read(files.ca), certificate: read(files.certificate), key: read(files.key) }
}
