// Which connections a replica has: by number, the one current link of each (peer, lane), and how many
// of clients, by address.

import { nameOf } from './identity.js'
import type { Link } from './link.js'
import type { LinkId, Peer } from '../../protocol/machine/machine.js'
import { Multiset } from '../../protocol/multiset.js'

/** Key of the one current link; clients have none. */
function placeOf(peer: Peer): string | null {
  return peer.role === 'client' ? null : `${nameOf(peer)} ${peer.lane}`
}

export class LinkTable {
  readonly #links = new Map<LinkId, Link>()
  readonly #current = new Map<string, Link>()
  readonly #clients = new Multiset()

  /** Of whom nobody knows yet who they are, too. */
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

  /** On all links together, waiting to be sent. */
  get queuedBytes(): number {
    let n = 0
    for (const link of this.#links.values()) n += link.queuedBytes
    return n
  }

  add(link: Link): void {
    this.#links.set(link.id, link)
  }

  /** The link that this peer has had until now. */
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

  /** False: it was not there any more. */
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
