// The port of a daemon, for replicas and clients alike. The listener does TLS only; handshake.ts
// judges the role that HELLO claims.

import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { constants } from 'node:crypto'
import { Server as TlsServer, createServer as createTlsServer } from 'node:tls'
import type { Credentials } from './credentials.js'
import type { Address } from './dialler.js'
import { hostPort } from '../../protocol/host.js'

const TLS_DEADLINE_MS = 3_000

/** Explains a failed `listen` in one sentence. */
export function explainListen(error: Error, { host, port }: Address): Error {
  const { code } = error as NodeJS.ErrnoException
  const at = hostPort(host, port)
  if (code === 'EADDRINUSE') {
    return new Error(`${at} is in use by another program; stop it or choose another port`)
  }
  if (code === 'EADDRNOTAVAIL') {
    const next = 'correct host, or name an address of this machine as listen, in the cluster file'
    return new Error(`${host} is not an address of this machine; ${next}`)
  }
  if (code === 'ENOTFOUND') {
    const next = 'correct the name, or name an address as listen, in the cluster file'
    return new Error(`${host} is a host name that this machine does not know; ${next}`)
  }
  if (code === 'EACCES')
    return new Error(`no permission to listen on ${at}; choose a port above 1023`)
  return new Error(`cannot listen on ${at}: ${error.message}`)
}

export interface ListenerEvents {
  /** TCP has accepted the connection; TLS has not begun. */
  readonly onConnection: (socket: Socket) => void
  /** The connection is ready for HELLO: TLS is done, where there is TLS. */
  readonly onSocket: (socket: Socket) => void
  readonly onFailure: (reason: string, address: string) => void
}

export class Listener {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(
    address: Address,
    credentials: Credentials | null,
    { onConnection, onSocket, onFailure }: ListenerEvents,
  ): Promise<Listener> {
    const server = credentials ? tlsServer(credentials, onSocket) : createTcpServer(onSocket)
    // Connections count from TCP's accept on: `onSocket` may come much later, or never.
    server.prependListener('connection', onConnection)
    // A socket that is closed already has no address.
    server.on('tlsClientError', (error: Error, { remoteAddress = 'gone' }: Socket) =>
      onFailure(error.message, remoteAddress),
    )
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(explainListen(error, address)))
      server.listen({ host: address.host, port: address.port, backlog: 1024 }, resolve)
    })
    return new Listener(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Uses these credentials for new connections; existing ones stay as they are. */
  renew(credentials: Credentials): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(contextOf(credentials))
  }

  /** Accepts no new connections; existing ones stay. */
  close(): void {
    this.#server.close()
  }
}

function contextOf({ ca, certificate, key }: Credentials) {
  // Session tickets would let a peer resume after its certificate has expired.
  const secureOptions = constants.SSL_OP_NO_TICKET
  return { ca, cert: certificate, key, minVersion: 'TLSv1.3' as const, secureOptions }
}

function tlsServer(credentials: Credentials, onSocket: (socket: Socket) => void): Server {
  return createTlsServer(
    {
      ...contextOf(credentials),
      // Clients have no certificate; judgeHello refuses a replica without one.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: TLS_DEADLINE_MS,
    },
    onSocket,
  )
}
