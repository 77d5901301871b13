// A connection on virtual time: two ends, and the frames on their way to each.

import type { LinkId } from '../../protocol/machine/machine.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import type { Host } from './host.js'

export type Lane = 'main' | 'bulk'

export interface Frame {
  readonly ready: number
  /** null: the end of the connection. */
  readonly message: Message | null
}

export class Connection {
  readonly lane: Lane
  readonly ends: End[] = []
  /** Frames that are sent from now on are dropped. */
  dead = false

  constructor(lane: Lane) {
    this.lane = lane
  }
}

/** One side of a connection, with the frames on their way to it. */
export class End {
  readonly host: Host
  readonly link: LinkId
  readonly bootCount: number
  readonly connection: Connection
  /**
   * The host's view of the connection: not yet up, then open until the host has learned of the end.
   */
  up = false
  open = true
  incoming: Frame[] = []
  /** Frames that come after the end, and within how many milliseconds. */
  late: { readonly frames: readonly Frame[]; readonly within: number } | null = null
  pumping = false
  /** Called when the host has learned of the end. */
  ended: () => void = () => {}

  constructor(host: Host, connection: Connection) {
    this.host = host
    this.bootCount = host.bootCount
    this.link = host.nextLink()
    this.connection = connection
    connection.ends.push(this)
  }

  get other(): End {
    const [a, b] = this.connection.ends
    return this === a ? b! : a!
  }

  get lastReady(): number {
    return this.incoming.at(-1)?.ready ?? 0
  }
}
