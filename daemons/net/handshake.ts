// The handshake of a connection: the dialler sends HELLO, the acceptor judges it and answers
// WELCOME, which the dialler judges. Invariant: over TLS, a replica's role and slot are those of
// its certificate.

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { WIRE_VERSION } from '../../protocol/schema/shared.js'
import { carriesUri, nameOf, type Replica } from './identity.js'
import { ERRORS, type ErrorName } from '../../protocol/errors.js'
import type { Origin } from '../../protocol/entries/origin.js'
import type { Peer } from '../../protocol/machine/machine.js'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import type { LinkBounds } from './bounds.js'
import type { Roster } from './roster.js'

/** Delay that a retriable refusal asks for. */
const RETRY_AFTER_MS = 1_000

/** This replica, as every handshake needs it. */
export interface Self extends Replica, Origin {
  readonly boot: string
  readonly tls: boolean
  /** Replicas of each tier, by slot. */
  readonly processing: number
  readonly persistence: number
}

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ErrorName

  constructor(code: ErrorName, text: string) {
    super(text)
    this.code = code
  }
}

export function errorMessage(code: ErrorName, text: string): The<'ERROR'> {
  const { code: number, definite, retriable } = ERRORS[code]
  // The wire bounds the text in bytes.
  const short = Buffer.from(text).subarray(0, 1000).toString()
  return {
    type: 'ERROR',
    request: 0,
    code: number,
    text: short,
    definite,
    retryAfter: retriable ? RETRY_AFTER_MS : null,
    expected: null,
  }
}

/** Text for each OpenSSL verdict; every other verdict means an authority of no trust here. */
const VERDICTS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'the certificate has expired; renew it: troca init --renew',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet; compare the clocks of both machines',
}

function checkCertificate(socket: Socket, uri: string): void {
  if (!(socket instanceof TLSSocket)) return
  const { authorized, authorizationError } = socket
  const given = socket.getPeerCertificate()
  if (Object.keys(given).length === 0) {
    throw new Refusal('FORBIDDEN', `no certificate given; one for ${uri} is needed`)
  }
  if (!authorized) {
    const why = String(authorizationError)
    const stranger = `the certificate is not of this cluster's authority: ${why}`
    throw new Refusal('FORBIDDEN', VERDICTS[why] ?? stranger)
  }
  if (!carriesUri(given.subjectaltname, uri)) {
    const next = 'if it was replaced, its new certificate and cluster file are needed'
    throw new Refusal('FORBIDDEN', `the certificate is not that of ${uri}; ${next}`)
  }
}

/** Whether `self` dials `other`: within a tier the higher slot, across tiers processing. */
export function dials(self: Replica, other: Replica): boolean {
  if (self.role === other.role) return self.slot > other.slot
  return self.role === 'processing'
}

export function helloOf(self: Self, lane: 'main' | 'bulk'): The<'HELLO'> {
  const { clusterId, historyId, role, slot, boot } = self
  const versions = { minVersion: WIRE_VERSION, maxVersion: WIRE_VERSION }
  return { type: 'HELLO', ...versions, clusterId, historyId, role, slot, boot, lane }
}

export function welcomeOf(
  self: Self,
  bounds: LinkBounds,
  coordinator: number,
  peer: Peer,
): The<'WELCOME'> {
  const { clusterId, historyId, role, slot, boot } = self
  const maxFrame = peer.role === 'client' ? bounds.clientFrame : bounds.peerFrame
  const limits = { maxFrame, credit: bounds.credit, heartbeat: bounds.clientHeartbeatMs }
  return {
    type: 'WELCOME',
    version: WIRE_VERSION,
    clusterId,
    historyId,
    role,
    slot,
    boot,
    coordinator,
    ...limits,
  }
}

/** The sentence for two versions of the wire; `theirs` is that of the other side. */
function differ(name: string, theirs: string): string {
  const is = `${name} speaks version ${WIRE_VERSION} of the wire, the other side version ${theirs}`
  return `${is}; install the same version of Troca on both (docs/OPERATIONS.md, Upgrades)`
}

function anotherHistory(other: Replica, history: string, self: Self): Refusal {
  const name = nameOf(other)
  const are = `${name} has history ${history || 'none'}, ${nameOf(self)} has ${self.historyId}`
  const next = 'the log was restored or recovered: both need the same cluster.yaml and its data'
  return new Refusal('WRONG_HISTORY', `${are}; ${next}`)
}

/** The peer that HELLO names, if it may connect; throws Refusal otherwise. */
export function judgeHello(self: Self, roster: Roster, socket: Socket, hello: Message): Peer {
  if (hello.type !== 'HELLO') throw new Refusal('BAD_STATE', 'HELLO comes first')
  const { minVersion, maxVersion, clusterId, historyId, role, slot, boot, lane } = hello
  // A client may leave the cluster's name empty: the CA that it trusts is the cluster's own.
  const unnamed = role === 'client' && clusterId === ''
  if (clusterId !== self.clusterId && !unnamed) {
    throw new Refusal('WRONG_CLUSTER', `this is cluster ${self.clusterId}`)
  }
  if (minVersion > WIRE_VERSION || maxVersion < WIRE_VERSION) {
    const theirs = minVersion === maxVersion ? minVersion : `${minVersion} to ${maxVersion}`
    throw new Refusal('WRONG_VERSION', differ(nameOf(self), String(theirs)))
  }
  if (role === 'client') {
    if (self.role === 'persistence') {
      const text = `${nameOf(self)} is a persistence replica; clients connect to processing replicas`
      throw new Refusal('FORBIDDEN', text)
    }
    return { role, address: `${socket.remoteAddress}:${socket.remotePort}` }
  }
  const other = { role, slot }
  if (slot < 1 || slot > self[role] || !dials(other, self)) {
    throw new Refusal('FORBIDDEN', `${nameOf(self)} accepts no connection from ${nameOf(other)}`)
  }
  checkCertificate(socket, roster.uriOf(other))
  if (historyId !== self.historyId) throw anotherHistory(other, historyId, self)
  return { role, slot, boot, lane }
}

/** The peer that WELCOME names, if it was dialled; TLS has checked its certificate already. */
export function judgeWelcome(
  self: Self,
  dialled: Replica,
  lane: 'main' | 'bulk',
  welcome: Message,
): Peer {
  if (welcome.type !== 'WELCOME') throw new Refusal('BAD_STATE', 'WELCOME comes first')
  const { version, clusterId, historyId, role, slot, boot } = welcome
  if (clusterId !== self.clusterId) {
    throw new Refusal('WRONG_CLUSTER', `${nameOf(dialled)} is of cluster ${clusterId}`)
  }
  if (historyId !== self.historyId) throw anotherHistory(dialled, historyId, self)
  if (version !== WIRE_VERSION) {
    throw new Refusal('WRONG_VERSION', differ(nameOf(self), String(version)))
  }
  if (role !== dialled.role || slot !== dialled.slot) {
    const text = `dialled ${nameOf(dialled)}; a ${role} replica of slot ${slot} answered`
    throw new Refusal('FORBIDDEN', text)
  }
  return { role, slot, boot, lane }
}
