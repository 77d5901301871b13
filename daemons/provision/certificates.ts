// A cluster's own certificate authority, and one certificate a replica: EC P-256. The URI in a
// certificate is the replica's identity; its host names and addresses are there for clients.

import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import { nameOf, uriOf } from '../net/identity.js'
import type { Replica } from '../net/identity.js'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const CA_DAYS = 3_652
const LEAF_DAYS = 825
/** Start of validity before the issue, so that a clock that is behind accepts a new certificate. */
const BACKDATE_MS = 3_600_000

/** Both PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

export interface Authority {
  readonly certificate: x509.X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
}

function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  // A DER serial number is positive and has no leading zero byte.
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function keyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

function validity(days: number): Validity {
  const now = Date.now()
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) }
}

export async function makeAuthority(clusterId: string): Promise<Authority> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=Troca ${clusterId}`,
    ...validity(CA_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, keys }
}

export async function authorityPem({ certificate, keys }: Authority): Promise<Issued> {
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys) }
}

/** The inverse of authorityPem; throws if certificate and key do not fit together. */
export async function authorityOf({ certificate, key }: Issued): Promise<Authority> {
  const parsed = new x509.X509Certificate(certificate)
  const publicKey = await parsed.publicKey.export(ALGORITHM, ['verify'])
  const pkcs8 = x509.PemConverter.decodeFirst(key)
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign'])
  const probe = new Uint8Array(16)
  const signature = await webcrypto.subtle.sign(ALGORITHM, privateKey, probe)
  if (!(await webcrypto.subtle.verify(ALGORITHM, publicKey, signature, probe))) {
    throw new Error('ca.pem and ca.key do not fit together; put both back from the same copy')
  }
  return { certificate: parsed, keys: { publicKey, privateKey } }
}

/** Issues the certificate of one replica for the host names that clients reach it by. */
export async function issue(
  authority: Authority,
  clusterId: string,
  replica: Replica,
  hosts: readonly string[],
  valid: Validity = validity(LEAF_DAYS),
): Promise<Issued> {
  const keys = await makeKeys()
  const names = hosts.map((value) => ({
    type: isIP(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${nameOf(replica)}`,
    issuer: authority.certificate.subject,
    ...valid,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: uriOf(clusterId, replica) },
        ...names,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys) }
}
