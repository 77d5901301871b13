// A connection of an attacker: it does the handshake and answers PING; the attack decides the
// rest.

import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { WIRE_VERSION } from '../../protocol/schema/shared.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../../protocol/wire/frame.js'

const HELLO: Message = {
  type: 'HELLO',
  ...{
    minVersion: WIRE_VERSION,
    maxVersion: WIRE_VERSION,
    clusterId: '',
    historyId: '',
    role: 'client',
  },
  ...{ slot: 0, boot: 'flood', lane: 'main' },
}

export interface Target {
  readonly port: number
  /**
   * Loopback address to connect from, so that attackers and honest clients have different
   * addresses.
   */
  readonly from: string
  /** Ends a connection that is still being made: the other end may never answer. */
  readonly stopped: AbortSignal
}

export class Stranger {
  readonly socket: TLSSocket
  readonly #heard: (message: Message, self: Stranger) => void
  #welcomed = false
  #requests = 0

  private constructor(socket: TLSSocket, heard: (message: Message, self: Stranger) => void) {
    this.socket = socket
    this.#heard = heard
    const decoder = new FrameDecoder(2 ** 24)
    socket.on('data', (chunk: Buffer) => {
      for (const message of decoder.push(chunk)) this.#hear(message)
    })
  }

  /** null: the connection was refused; `heard` has got the ERROR, if there was one. */
  static open(
    { port, from, stopped }: Target,
    heard: (message: Message, self: Stranger) => void,
  ): Promise<Stranger | null> {
    const at = { host: '127.0.0.1', port, localAddress: from }
    const socket = connectTls({ ...at, rejectUnauthorized: false })
    socket.on('error', () => {})
    const stop = (): void => void socket.destroy()
    const opened = new Promise<Stranger | null>((resolve) => {
      const stranger = new Stranger(socket, (message, self) => {
        if (message.type === 'WELCOME') resolve(self)
        else heard(message, self)
      })
      socket.once('secureConnect', () => stranger.say(HELLO))
      socket.once('close', () => resolve(null))
    })
    stopped.addEventListener('abort', stop)
    if (stopped.aborted) stop()
    return opened.finally(() => stopped.removeEventListener('abort', stop))
  }

  get gone(): boolean {
    return this.socket.destroyed
  }

  nextRequest(): number {
    return ++this.#requests
  }

  say(message: Message): void {
    if (!this.gone) this.socket.write(encodeFrame(message))
  }

  destroy(): void {
    this.socket.destroy()
  }

  #hear(message: Message): void {
    if (message.type === 'WELCOME') this.#welcomed = true
    if (message.type === 'PING' && this.#welcomed) this.say({ type: 'PONG', nonce: message.nonce })
    else this.#heard(message, this)
  }
}

/** A TCP connection without TLS; the caller may begin TLS byte by byte. */
export function openBare({ port, from }: Omit<Target, 'stopped'>) {
  const socket = connectTcp({ host: '127.0.0.1', port, localAddress: from })
  socket.on('error', () => {})
  return socket
}
