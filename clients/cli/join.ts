// Makes a client's folder from addresses alone: each replica shows its certificate and that of the
// authority, whose fingerprint a person has compared, or gave.

import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { hostPort } from '../../protocol/host.js'
import { Client } from '../client.js'
import type { ClusterStatus } from '../cluster-status.js'
import { parseServers, type ServerAddress } from '../options.js'
import { fingerprintsOf } from './authority.js'
import { makeFolder } from './bundle.js'
import { EXIT, Failure } from './failure.js'

const ANSWER_MS = 5_000
const URI = /(?:^|, )URI:troca:\/\/([a-z0-9-]+)\/(processing|persistence)\/(\d+)(?:$|, )/

export interface Shown extends ServerAddress {
  readonly clusterId: string
  readonly slot: number
  /** PEM. */
  readonly certificate: string
  /** PEM; null: the replica showed its own certificate alone. */
  readonly authority: string | null
}

function fail(text: string): never {
  throw new Failure(EXIT.unreachable, text)
}

export function addressesOf(texts: readonly string[]): ServerAddress[] {
  try {
    return parseServers(texts)
  } catch (error) {
    throw new Failure(EXIT.usage, `${(error as Error).message}; nor is it a file`)
  }
}

/** What the replica at an address shows in TLS, which is not trusted yet. */
export function shownAt({ host, port }: ServerAddress): Promise<Shown> {
  const at = hostPort(host, port)
  return new Promise((resolve, reject) => {
    const no = (text: string): void => reject(new Failure(EXIT.unreachable, text))
    // The caller compares the authority's fingerprint before anything is sent or kept.
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, () => {
      const own = socket.getPeerCertificate(true)
      socket.end()
      const [, clusterId, tier, slot] = URI.exec(own.subjectaltname ?? '') ?? []
      if (!clusterId) return no(`${at} is no replica of Troca`)
      if (tier !== 'processing') {
        return no(`${at} is persistence replica s${slot}; clients need the processing replicas`)
      }
      const authority = rootOf(own)
      resolve({
        ...{ host, port, clusterId, slot: Number(slot) },
        certificate: pemOf(own.raw),
        authority: authority && pemOf(authority),
      })
    })
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer in time')))
    socket.on('error', ({ message, code }: NodeJS.ErrnoException) =>
      no(`${at} does not answer: ${message || code}`),
    )
  })
}

function rootOf(own: DetailedPeerCertificate): Buffer | null {
  const issuer = own.issuerCertificate as DetailedPeerCertificate | undefined
  return issuer && issuer !== own ? issuer.raw : null
}

const pemOf = (der: Buffer): string => new X509Certificate(der).toString()

/** The one authority that has signed all certificates shown; a Failure otherwise. */
export function authorityOf(shown: readonly Shown[], given: string | null): string {
  const [first] = shown
  const pem = given ?? first!.authority
  if (pem === null) fail('the replica does not show its authority; give ca.pem by --ca')
  if (fingerprintsOf(pem).length !== 1) fail('one certificate is needed as the authority')
  const { publicKey } = new X509Certificate(pem)
  for (const { host, port, clusterId, certificate } of shown) {
    const at = hostPort(host, port)
    if (clusterId !== first!.clusterId) fail(`${at} is of cluster ${clusterId}, not of the first's`)
    if (!new X509Certificate(certificate).verify(publicKey)) {
      fail(`the certificate at ${at} is not of this authority`)
    }
  }
  return pem
}

/** Connects with the authority trusted from here on, and writes the folder. */
export async function joinAt(
  dir: string,
  shown: readonly Shown[],
  authority: string,
): Promise<ClusterStatus> {
  const { clusterId } = shown[0]!
  const servers = shown.map(({ slot, host, port }) => ({ slot, host, port }))
  const client = new Client({ servers, ca: authority, clusterId, timeoutMs: ANSWER_MS })
  try {
    const status = await client.status()
    await makeFolder(dir, async (draft) => {
      const file = { clusterId, tls: true, ca: 'ca.pem', servers, needed: status.needed }
      writeFileSync(join(draft, 'ca.pem'), authority)
      writeFileSync(join(draft, 'client.json'), `${JSON.stringify(file, null, 2)}\n`)
    })
    return status
  } finally {
    client.abandon('asked enough')
  }
}
