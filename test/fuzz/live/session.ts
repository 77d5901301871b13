// A connection of an adversary: frames are sent in pieces of any size, and if the last frame is
// malformed, one ERROR and the end must follow.

import { once } from 'node:events'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../../../protocol/wire/frame.js'
import type { Random } from '../../simulator/random.js'
import { messageIn, type Frame } from '../frames.js'
import type { Pool } from '../pool.js'
import type { Adversary } from './adversary.js'

/** Only ends an endless wait, so it is long: a daemon under attack may be slow. */
const PATIENCE_MS = 30_000

/** Resolves at the event. events.once would also reject on errors, which 'close' follows anyway. */
function happens(socket: TLSSocket, event: 'close' | 'drain'): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()))
}

/** Whether the frame is a message that ends a connection in order. */
function takesLeave({ bytes }: Frame): boolean {
  const message = messageIn(bytes.subarray(4))
  if (message?.type === 'ERROR') return message.request === 0
  return message?.type === 'GOODBYE' || message?.type === 'LOGOUT'
}

export class Session {
  readonly #adversary: Adversary
  readonly #socket: TLSSocket
  readonly #closed: Promise<void>
  readonly #heard: Message[] = []
  #waiting: (() => void) | null = null

  private constructor(adversary: Adversary, socket: TLSSocket, pool: Pool) {
    this.#adversary = adversary
    this.#socket = socket
    this.#closed = happens(socket, 'close')
    const decoder = new FrameDecoder(2 ** 24)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      for (const message of decoder.push(chunk)) {
        pool.learn(message)
        this.#heard.push(message)
        if (message.type === 'PING') this.say({ type: 'PONG', nonce: message.nonce })
      }
      this.#waiting?.()
    })
    socket.on('close', () => this.#waiting?.())
  }

  /** null: the port does not answer. */
  static async open(adversary: Adversary, pool: Pool): Promise<Session | null> {
    const { port, tls } = adversary
    const at = { host: '127.0.0.1', port, checkServerIdentity: () => undefined }
    const socket = connect({ ...at, ...tls, timeout: PATIENCE_MS })
    try {
      await once(socket, 'secureConnect')
      return new Session(adversary, socket, pool)
    } catch {
      socket.destroy()
      return null
    }
  }

  say(message: Message): void {
    this.#socket.write(encodeFrame(message))
  }

  /** The first message of these types, or null once the connection has ended. */
  async hears(...types: Message['type'][]): Promise<Message | null> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const found = this.#heard.find(({ type }) => types.includes(type))
      if (found || this.#socket.destroyed || performance.now() > end) return found ?? null
      await this.#more()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(), PATIENCE_MS)
      this.#waiting = () => {
        clearTimeout(timer)
        this.#waiting = null
        resolve()
      }
    })
  }

  /** Sends frames whole, in pieces, or byte by byte; waits while the other side does not read. */
  async send(frames: readonly Frame[], random: Random): Promise<void> {
    const all = Buffer.concat(frames.map(({ bytes }) => bytes))
    const way = random.below(8)
    const step =
      way === 0 && all.length < 2_000 ? 1 : way < 4 ? random.between(1, all.length) : all.length
    for (let at = 0; at < all.length; at += step) {
      if (this.#socket.destroyed) return
      const flows = this.#socket.write(all.subarray(at, at + step))
      if (!flows) await Promise.race([happens(this.#socket, 'drain'), this.#closed])
    }
  }

  /** Fault of the connection's end; null: no fault. */
  async verdict(frames: readonly Frame[], random: Random): Promise<string | null> {
    if (!frames.at(-1)!.malformed) {
      // The connection ends without GOODBYE, half closed, or in the middle of the next frame.
      if (random.chance(0.3)) this.#socket.write(Buffer.from([0, 0]))
      if (random.chance(0.5)) this.#socket.end()
      this.#socket.destroy()
      return null
    }
    const late = setTimeout(() => this.#socket.destroy(), PATIENCE_MS)
    const begun = performance.now()
    await this.#closed
    clearTimeout(late)
    if (performance.now() - begun >= PATIENCE_MS) return 'the connection was not closed'
    const ends = this.#heard.findIndex((one) => one.type === 'ERROR' && one.code >= 300)
    if (ends >= 0) return ends === this.#heard.length - 1 ? null : 'a message after the last ERROR'
    // A newer connection of the same replica replaces an older one without an ERROR.
    return this.#adversary.sort === 'replica' || frames.some(takesLeave) ? null : 'no ERROR'
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
