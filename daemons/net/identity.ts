// A replica's identity in its certificate: the URI troca://<cluster>/<tier>/<slot> among the
// subject's alternative names, with /<generation> once the slot was given to a newcomer. The rest of the
// certificate's names is ignored.

import type { Slot, Tier } from '../../protocol/slots.js'

export interface Replica {
  readonly role: Tier
  readonly slot: Slot
  /** How many times the slot was given to a newcomer, from 1; absent: 1. */
  readonly generation?: number
}

/** p1 ... for processing, s1 ... for persistence. */
export function nameOf({ role, slot }: Replica): string {
  return `${role === 'processing' ? 'p' : 's'}${slot}`
}

export function uriOf(clusterId: string, { role, slot, generation = 1 }: Replica): string {
  const uri = `troca://${clusterId}/${role}/${slot}`
  return generation === 1 ? uri : `${uri}/${generation}`
}

/** Whether Node's `subjectaltname` text holds exactly this URI. */
export function carriesUri(subjectAltName: string | undefined, uri: string): boolean {
  return (subjectAltName ?? '').split(', ').includes(`URI:${uri}`)
}
