// The debug port: plain TCP, on loopback unless told otherwise, for netcat. One word, one answer, and the connection is
// closed, as ZooKeeper's four-letter words are: `echo ruok | nc 127.0.0.1 7411`. A line that opens
// with GET is HTTP: /livez, /readyz and /metrics. Nothing here changes anything, nothing is secret.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Address } from '../net/dialler.js'
import { explainListen } from '../net/listener.js'
import type { DebugWords } from '../../protocol/machine/machine.js'
import { answerWord } from './debug-words.js'
import type { Figures } from './registry.js'

export interface DebugAnswers {
  readonly words: DebugWords
  readonly figures: Pick<Figures, 'exposition' | 'contentType'>
  /** Anything but null: why this replica does not serve just now. */
  notReady(): string | null
}

/** A word, or a request with its headers. */
const MAX_INPUT_BYTES = 8_192
const DEADLINE_MS = 5_000
const MAX_CONNECTIONS = 64

function http(status: string, type: string, body: string): string {
  const length = Buffer.byteLength(body)
  const head = [`HTTP/1.1 ${status}`, `Content-Type: ${type}`, `Content-Length: ${length}`]
  return [...head, 'Connection: close', '', body].join('\r\n')
}

async function answerGet(path: string, answers: DebugAnswers): Promise<string> {
  const plain = 'text/plain; charset=utf-8'
  if (path === '/livez') return http('200 OK', plain, 'ok\n')
  if (path === '/readyz') {
    const reason = answers.notReady()
    if (reason === null) return http('200 OK', plain, 'ok\n')
    return http('503 Service Unavailable', plain, `${reason}\n`)
  }
  if (path === '/metrics') {
    return http('200 OK', answers.figures.contentType, await answers.figures.exposition())
  }
  return http('404 Not Found', plain, 'there are /livez, /readyz and /metrics\n')
}

function serve(socket: Socket, answers: DebugAnswers, deadlineMs: number): void {
  let input = ''
  const answer = (ended: boolean): void => {
    const line = /^([^\n]*?)\r?\n/.exec(input)?.[1] ?? (ended ? input : null)
    if (line === null) return
    const get = /^GET (\S+)/.exec(line)
    // A request is answered after its last header, or closing would reset the asker.
    if (get && !ended && !/\r?\n\r?\n/.test(input)) return
    socket.removeAllListeners('data')
    socket.removeAllListeners('end')
    socket.resume()
    const answered = get
      ? answerGet(get[1]!, answers)
      : answerWord(answers.words, line.trim()).then((text) => `${text}\n`)
    answered.then(
      (text) => socket.end(text),
      (error: unknown) => socket.end(`failed: ${(error as Error).message}\n`),
    )
  }
  // From first to last byte: who sends or reads drop by drop holds a place no longer.
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
