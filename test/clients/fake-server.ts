// A scripted server for tests of the client: real frames over plain TCP on a free port. The server
// answers HELLO, LOGIN, STATUS and OPEN_STREAM by itself, and passes other messages to the script.

import { createServer, type Server as TcpServer, type Socket, type AddressInfo } from 'node:net'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../../protocol/wire/frame.js'
import { ERRORS, type ErrorName } from '../../protocol/errors.js'

export type Script = (message: Message, peer: FakePeer) => void

/** The answer to a log-in, for an account whose keys the service holds. */
export function sessionOf(request: number, name: string): The<'SESSION'> {
  const account = { fingerprint: 'f', bits: 2048, held: 'service', cursor: 0 } as const
  return { type: 'SESSION', request, name, ...account }
}

export class FakePeer {
  readonly #socket: Socket
  constructor(socket: Socket) {
    this.#socket = socket
  }

  say(message: Message): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(message))
  }

  refuse(request: number, name: ErrorName, retryAfter: number | null = null): void {
    const { code, text, definite } = ERRORS[name]
    this.say({ type: 'ERROR', request, code, text, definite, retryAfter, expected: null })
  }

  /** The stream of the send has ended; whether the send was executed before is not known. */
  streamClosed({ request }: The<'SEND'>): void {
    const { code, text } = ERRORS.STREAM_CLOSED
    const facts = { definite: false, retryAfter: null, expected: null }
    this.say({ type: 'ERROR', request, code, text, ...facts })
  }

  receipt(send: The<'SEND'>): void {
    const { request, seq } = send
    this.say({ type: 'RECEIPT', request, seq, index: 100 + seq, time: 1_790_000_000_000 })
  }

  drop(): void {
    this.#socket.destroy()
  }
}

export class FakeServer {
  readonly slot: number
  /** The coordinator that WELCOME and STATUS_IS name. */
  coordinator: number
  credit = 256
  ready = true
  /** History that WELCOME names. */
  historyId = 'first'
  script: Script = () => {}
  /** Types of messages that the script answers instead of the server. */
  readonly scripted = new Set<Message['type']>()
  readonly heard: Message[] = []
  readonly peers = new Set<FakePeer>()
  readonly #tcp: TcpServer

  constructor(slot = 1, coordinator = slot) {
    this.slot = slot
    this.coordinator = coordinator
    this.#tcp = createServer((socket) => this.#accept(socket))
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#tcp.listen(0, '127.0.0.1', resolve))
    return this
  }

  get address(): { host: string; port: number; slot: number } {
    const { port } = this.#tcp.address() as AddressInfo
    return { host: '127.0.0.1', port, slot: this.slot }
  }

  /** Behaves as a killed process: refuses connections and drops the present ones. */
  kill(): void {
    this.#tcp.close()
    for (const peer of this.peers) peer.drop()
  }

  sends(): The<'SEND'>[] {
    return this.heard.filter((message) => message.type === 'SEND')
  }

  #accept(socket: Socket): void {
    const decoder = new FrameDecoder(1024 * 1024)
    const peer = new FakePeer(socket)
    this.peers.add(peer)
    socket.on('error', () => {})
    socket.on('close', () => this.peers.delete(peer))
    socket.on('data', (chunk) => {
      for (const message of decoder.push(chunk)) this.#take(message, peer)
    })
  }

  #take(message: Message, peer: FakePeer): void {
    this.heard.push(message)
    const own = this.scripted.has(message.type) ? undefined : this.#ownAnswer(message)
    if (own) peer.say(own)
    else this.script(message, peer)
  }

  #ownAnswer(message: Message): Message | undefined {
    const { slot, coordinator } = this
    const clusterId = 'troca-test'
    switch (message.type) {
      case 'HELLO':
        return {
          type: 'WELCOME',
          version: 1,
          clusterId,
          historyId: this.historyId,
          role: 'processing',
          slot,
          boot: '00',
          coordinator,
          maxFrame: 128 * 1024,
          credit: this.credit,
          heartbeat: 100,
        }
      case 'LOGIN':
      case 'REGISTER': {
        const { request, name } = message
        return sessionOf(request, name)
      }
      case 'KEYS': {
        const { request, name } = message
        const keys = ['new', 'old'].map((key) => ({
          fingerprint: `${key} of ${name}`,
          bits: 2048,
          publicKey: Buffer.from(key),
          signing: null,
        }))
        return { type: 'KEYS_ARE', request, keys }
      }
      case 'OPEN_STREAM':
        return { type: 'STREAM_OPENED', request: message.request, stream: message.token }
      case 'CLOSE_STREAM':
        return { type: 'STREAM_CLOSED', request: message.request }
      case 'PING':
        return { type: 'PONG', nonce: message.nonce }
      case 'LOGOUT':
        return { type: 'GOODBYE', reason: 'logged out' }
      case 'STATUS': {
        const { request } = message
        const cluster = { clusterId, coordinator, term: 1, replicas: [], needed: 2 }
        return { type: 'STATUS_IS', request, ...cluster, ready: this.ready }
      }
      default:
        return undefined
    }
  }
}
