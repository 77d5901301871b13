// A replica's identity in its certificate: the URI troca://<cluster>/<tier>/<slot> among the
// subject's alternative names. The rest of the certificate's names is ignored.

import type { Slot, Tier } from '../../protocol/slots.js'

export interface Replica {
  readonly role: Tier
  readonly slot: Slot
}

/** p1 ... for processing, s1 ... for persistence. */
export function nameOf({ role, slot }: Replica): string {
  return `${role === 'processing' ? 'p' : 's'}${slot}`
}

export function uriOf(clusterId: string, { role, slot }: Replica): string {
  return `troca://${clusterId}/${role}/${slot}`
}

/** Whether Node's `subjectaltname` text holds exactly this URI. */
export function carriesUri(subjectAltName: string | undefined, uri: string): boolean {
  return (subjectAltName ?? '').split(', ').includes(`URI:${uri}`)
}
