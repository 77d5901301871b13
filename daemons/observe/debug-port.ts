// The debug port: plain TCP for netcat, on loopback unless the cluster file names another host.
// Each connection takes one word and gets one answer, as ZooKeeper's four-letter words do: `echo
// ruok | nc 127.0.0.1 7411`. A line that opens with a method is HTTP: /livez, /readyz and /metrics.
// Invariant: the port is read-only, and its answers hold no secrets.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Address } from '../net/dialler.js'
import { explainListen } from '../net/listener.js'
import type { DebugWords } from '../../protocol/machine/machine.js'
import { answerWord } from './debug-words.js'
import type { Figures } from './registry.js'

export interface DebugAnswers {
  readonly words: DebugWords
  readonly figures: Pick<Figures, 'exposition' | 'contentType'>
  /** Reason why this replica does not serve; null: it serves. */
  notReady(): string | null
}

/** Limit of a word, or of a request with its headers. */
const MAX_INPUT_BYTES = 8_192
const DEADLINE_MS = 5_000
const MAX_CONNECTIONS = 64

/** Methods of RFC 9110 that somebody may try; the port answers to the first three. */
const REQUEST = /^(GET|HEAD|OPTIONS|POST|PUT|DELETE|PATCH|TRACE|CONNECT) (\S+)/
const ALLOWED = 'GET, HEAD, OPTIONS'

interface Page {
  readonly status: string
  readonly type: string
  readonly body: string
}

const plain = (status: string, body: string): Page => {
  return { status, type: 'text/plain; charset=utf-8', body }
}

async function pageOf(path: string, answers: DebugAnswers): Promise<Page> {
  if (path === '/livez') return plain('200 OK', 'ok\n')
  if (path === '/readyz') {
    const reason = answers.notReady()
    return reason === null
      ? plain('200 OK', 'ok\n')
      : plain('503 Service Unavailable', `${reason}\n`)
  }
  if (path === '/metrics') {
    const { figures } = answers
    return { status: '200 OK', type: figures.contentType, body: await figures.exposition() }
  }
  return plain('404 Not Found', 'not found; try /livez, /readyz or /metrics\n')
}

/** The response (RFC 9110); one to HEAD has the length of the body and not the body. */
async function answerHttp(method: string, target: string, answers: DebugAnswers): Promise<string> {
  const page = ALLOWED.split(', ').includes(method)
    ? await pageOf(target.replace(/[?#].*$/, ''), answers)
    : plain('405 Method Not Allowed', `${method} is not answered here; needed: ${ALLOWED}\n`)
  const { status, type, body } = method === 'OPTIONS' ? plain('204 No Content', '') : page
  const head = [`HTTP/1.1 ${status}`, `Allow: ${ALLOWED}`, 'Connection: close']
  if (method !== 'OPTIONS') {
    head.push(`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`)
  }
  return [...head, '', method === 'HEAD' ? '' : body].join('\r\n')
}

function serve(socket: Socket, answers: DebugAnswers, deadlineMs: number): void {
  let input = ''
  const answer = (ended: boolean): void => {
    const line = /^([^\n]*?)\r?\n/.exec(input)?.[1] ?? (ended ? input : null)
    if (line === null) return
    const request = REQUEST.exec(line)
    // HTTP is answered after the last header: closing with unread bytes would reset the connection.
    if (request && !ended && !/\r?\n\r?\n/.test(input)) return
    socket.removeAllListeners('data')
    socket.removeAllListeners('end')
    socket.resume()
    const answered = request
      ? answerHttp(request[1]!, request[2]!, answers)
      : answerWord(answers.words, line.trim()).then((text) => `${text}\n`)
    answered.then(
      (text) => socket.end(text),
      (error: unknown) => socket.end(`failed: ${(error as Error).message}\n`),
    )
  }
  // The deadline covers the whole connection, so a slow peer cannot hold one of the places for
  // long.
  const deadline = setTimeout(() => socket.destroy(), deadlineMs).unref()
  socket.on('close', () => clearTimeout(deadline))
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    input += chunk.toString('latin1')
    if (input.length > MAX_INPUT_BYTES) socket.destroy()
    else answer(false)
  })
  socket.on('end', () => answer(true))
}

export class DebugPort {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(
    address: Address,
    answers: DebugAnswers,
    deadlineMs = DEADLINE_MS,
  ): Promise<DebugPort> {
    const take = (socket: Socket) => serve(socket, answers, deadlineMs)
    const server = createServer({ allowHalfOpen: true }, take)
    server.maxConnections = MAX_CONNECTIONS
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(explainListen(error, address)))
      server.listen(address, resolve)
    })
    server.unref()
    return new DebugPort(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
  }
}
