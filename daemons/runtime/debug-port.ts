// The debug port: plain TCP on loopback, for netcat. One word, one answer, and the connection is
// closed, as ZooKeeper's four-letter words are: `echo ruok | nc 127.0.0.1 7411`. A line that opens
// with GET is HTTP: /livez, /readyz and /metrics. Nothing here changes anything, nothing is secret.

import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { explainListen } from './listener.js'

export interface DebugAnswers {
  /** undefined: the word is not known. */
  describe(word: string): string | undefined
  metrics(): Record<string, number>
  /** Anything but null: why this replica does not serve just now. */
  notReady(): string | null
  /** The configuration, without secrets. */
  conf(): string
  stat(): string
}

const MAX_LINE_BYTES = 1_024
const DEADLINE_MS = 5_000
const MAX_CONNECTIONS = 64

const HELP = `one word a connection:
ruok  imok, if the process answers
stat  a short summary
mntr  all metrics, tab-separated
conf  the configuration, without secrets
help  this
ring turn view clok log peer  the state of the protocol of that name, as far as known here
GET /livez, GET /readyz and GET /metrics are answered as HTTP`

function mntr(metrics: Record<string, number>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name}\t${value}`)
    .join('\n')
}

/** Prometheus text exposition, version 0.0.4. */
function exposition(metrics: Record<string, number>): string {
  return Object.entries(metrics)
    .map(([name, value]) => {
      const type = name.endsWith('_total') ? 'counter' : 'gauge'
      return `# TYPE ${name} ${type}\n${name} ${value}\n`
    })
    .join('')
}

function answerWord(word: string, answers: DebugAnswers): string {
  switch (word) {
    case 'ruok':
      return 'imok'
    case 'mntr':
      return mntr(answers.metrics())
    case 'conf':
      return answers.conf()
    case 'stat':
      return answers.stat()
    case 'help':
      return HELP
    default:
      return answers.describe(word) ?? `unknown word; try: help`
  }
}

function http(status: string, type: string, body: string): string {
  const length = Buffer.byteLength(body)
  const head = [`HTTP/1.1 ${status}`, `Content-Type: ${type}`, `Content-Length: ${length}`]
  return [...head, 'Connection: close', '', body].join('\r\n')
}

function answerGet(path: string, answers: DebugAnswers): string {
  const plain = 'text/plain; charset=utf-8'
  if (path === '/livez') return http('200 OK', plain, 'ok\n')
  if (path === '/readyz') {
    const reason = answers.notReady()
    if (reason === null) return http('200 OK', plain, 'ok\n')
    return http('503 Service Unavailable', plain, `${reason}\n`)
  }
  if (path === '/metrics') {
    return http('200 OK', 'text/plain; version=0.0.4', exposition(answers.metrics()))
  }
  return http('404 Not Found', plain, 'there are /livez, /readyz and /metrics\n')
}

function serve(socket: Socket, answers: DebugAnswers): void {
  let input = ''
  const answer = (ended: boolean): void => {
    const line = /^([^\n]*?)\r?\n/.exec(input)?.[1] ?? (ended ? input : null)
    if (line === null) return
    const get = /^GET (\S+)/.exec(line)
    // A request is answered after its last header, or closing would reset the asker.
    if (get && !ended && !/\r?\n\r?\n/.test(input)) return
    socket.removeAllListeners('data')
    socket.resume()
    socket.end(get ? answerGet(get[1]!, answers) : `${answerWord(line.trim(), answers)}\n`)
  }
  socket.setTimeout(DEADLINE_MS, () => socket.destroy())
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    input += chunk.toString('latin1')
    if (input.length > 8 * MAX_LINE_BYTES) socket.destroy()
    else answer(false)
  })
  socket.on('end', () => answer(true))
}

export class DebugPort {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(port: number, answers: DebugAnswers): Promise<DebugPort> {
    const address = { host: '127.0.0.1', port }
    const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket, answers))
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
