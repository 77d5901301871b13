// The connections of one replica: by id, the one current link of each (replica, lane), and the
// number of clients by address.

import { nameOf } from './identity.js'
import type { Link } from './link.js'
import type { LinkId, Peer } from '../../protocol/machine/machine.js'
import { Multiset } from '../../protocol/multiset.js'

/**
 * Key of a replica's current link; null for clients, of which several may come from one address.
 */
function placeOf(peer: Peer): string | null {
  return peer.role === 'client' ? null : `${nameOf(peer)} ${peer.lane}`
}

export class LinkTable {
  readonly #links = new Map<LinkId, Link>()
  readonly #current = new Map<string, Link>()
  readonly #clients = new Multiset()

  /** All links, those in handshake too. */
  all(): IterableIterator<Link> {
    return this.#links.values()
  }

  get(id: LinkId): Link | undefined {
    return this.#links.get(id)
  }

  get clients(): number {
    return this.#clients.size
  }

  clientsFrom(origin: string): number {
    return this.#clients.count(origin)
  }

  count(role: Peer['role']): number {
    let n = 0
    for (const { peer } of this.#links.values()) if (peer?.role === role) n++
    return n
  }

  /** Bytes that wait to be sent, on all links together. */
  get queuedBytes(): number {
    let n = 0
    for (const link of this.#links.values()) n += link.queuedBytes
    return n
  }

  add(link: Link): void {
    this.#links.set(link.id, link)
  }

  /** The link that this peer and lane already has. */
  currentOf(peer: Peer): Link | undefined {
    const place = placeOf(peer)
    return place === null ? undefined : this.#current.get(place)
  }

  up(link: Link, peer: Peer): void {
    link.peer = peer
    const place = placeOf(peer)
    if (place === null) this.#clients.add(link.origin)
    else this.#current.set(place, link)
  }

  /** Returns false if the link was removed before. */
  remove(link: Link): boolean {
    if (!this.#links.delete(link.id)) return false
    const { peer } = link
    if (!peer) return true
    const place = placeOf(peer)
    if (place === null) this.#clients.remove(link.origin)
    else if (this.#current.get(place) === link) this.#current.delete(place)
    return true
  }
}
