// The other end of a connection without the runtime, which sends and receives what a test wants.

import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { WIRE_VERSION } from '../../../protocol/schema/shared.js'
import { CLUSTER, Record, ownAuthority } from '../runtime/toy-replica.js'
import type { Credentials } from '../../../daemons/net/credentials.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../../../protocol/wire/frame.js'

const hello: The<'HELLO'> = {
  type: 'HELLO',
  minVersion: WIRE_VERSION,
  maxVersion: WIRE_VERSION,
  clusterId: CLUSTER,
  historyId: 'first',
  role: 'client',
  slot: 0,
  boot: 'bare',
  lane: 'main',
}

export class BarePeer {
  readonly socket: Socket
  readonly heard = new Record<Message>()
  readonly closed: Promise<unknown>

  constructor(socket: Socket) {
    this.socket = socket
    const decoder = new FrameDecoder(1 << 24)
    socket.on('data', (chunk: Buffer) => {
      for (const message of decoder.push(chunk)) this.heard.add(message)
    })
    socket.on('error', () => {})
    this.closed = once(socket, 'close')
  }

  static async connect(
    port: number,
    credentials?: Partial<Credentials>,
    localAddress = '127.0.0.1',
  ): Promise<BarePeer> {
    const ca = credentials?.ca ?? (await ownAuthority()).certificate.toString('pem')
    const { certificate, key } = credentials ?? {}
    const own = certificate && key ? { cert: certificate, key } : {}
    const at = { host: '127.0.0.1', port, localAddress }
    const socket = connectTls({ ...at, ca, checkServerIdentity: () => undefined, ...own })
    await once(socket, 'secureConnect')
    return new BarePeer(socket)
  }

  static async connectPlain(port: number): Promise<BarePeer> {
    const socket = connectTcp({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    return new BarePeer(socket)
  }

  hello(changes: Partial<The<'HELLO'>> = {}): Promise<The<'WELCOME'>> {
    this.say({ ...hello, ...changes })
    return this.hears('WELCOME')
  }

  say(message: Message): void {
    this.socket.write(encodeFrame(message))
  }

  hears<N extends Message['type']>(type: N): Promise<The<N>> {
    return this.heard.find((message) => message.type === type) as Promise<The<N>>
  }

  /** Text of the one ERROR that the other side sent before it closed. */
  async refusal(): Promise<string> {
    const { text } = await this.hears('ERROR')
    await this.closed
    return text
  }
}
