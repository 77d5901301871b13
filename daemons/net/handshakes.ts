// Connections in handshake, bounded in number. When there are too many, the oldest of the address
// that has most is closed. An honest handshake takes milliseconds, so an attacker who only holds
// connections open cannot keep replicas or clients out.

import type { Socket } from 'node:net'
import { originOf } from '../../protocol/sessions/address.js'

interface Stranger {
  readonly socket: Socket
  readonly origin: string
}

export class Handshakes {
  readonly #most: number
  readonly #gaveWay: (origin: string) => void
  /** Keyed by address and port, the oldest first. */
  readonly #strangers = new Map<string, Stranger>()

  constructor(most: number, gaveWay: (origin: string) => void) {
    this.#most = most
    this.#gaveWay = gaveWay
  }

  get size(): number {
    return this.#strangers.size
  }

  /** Counts a connection as TCP accepts it, before TLS. */
  begin(socket: Socket): void {
    const place = placeOf(socket)
    const stranger = { socket, origin: originOf(socket.remoteAddress ?? '') }
    this.#strangers.set(place, stranger)
    socket.once('close', () => {
      if (this.#strangers.get(place) === stranger) this.#strangers.delete(place)
    })
    if (this.#strangers.size > this.#most) this.#makeRoom()
  }

  /** Ends the handshake's count; `socket` may be the TLS socket around the one given to `begin`. */
  done(socket: Socket): void {
    this.#strangers.delete(placeOf(socket))
  }

  #makeRoom(): void {
    const counts = new Map<string, number>()
    for (const { origin } of this.#strangers.values()) {
      counts.set(origin, (counts.get(origin) ?? 0) + 1)
    }
    const most = Math.max(...counts.values())
    for (const [place, { socket, origin }] of this.#strangers) {
      if (counts.get(origin) !== most) continue
      this.#strangers.delete(place)
      socket.destroy()
      return this.#gaveWay(origin)
    }
  }
}

function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
