// Finds a server: the first that welcomes, then the coordinator that it names. The next server is
// dialled when one fails, or is slow: a stopped process accepts connections and sends nothing.

import { Link } from './link.js'
import type { LinkListener, DialOptions } from './link.js'
import { clientError, fromRefusal } from './errors.js'
import type { TrocaError } from './errors.js'
import type { Server } from './options.js'

/** A server that has not welcomed after this gets a rival. */
const STAGGER_MS = 150
/** Least time for a server to welcome, and to log a client in. */
const WELCOME_MS = 1_500
const LOGIN_MS = 5_000
/** A server that is as far as the first one is late after so many times as long. */
const FAR = 4

export interface Credentials {
  readonly user: string
  /** Two or more while a change of password is unanswered: each is tried in this order. */
  readonly passwords: readonly string[]
  /** DELETE_ACCOUNT is unanswered: a log-in that fails may mean that the account is deleted. */
  readonly leaving?: boolean
}

const DEAF: LinkListener = { message() {}, closed() {}, drained() {} }

/** How long another server may take, by how far this one is. */
export const asFarAs = ({ dialMs }: Link): number => Math.max(WELCOME_MS, FAR * dialMs)

/** Connects and waits for WELCOME; rejects with TrocaError. */
export function dial(server: Server, options: DialOptions, withinMs: number): Promise<Link> {
  return new Promise((resolve, reject) => {
    const connection = new Link(server, options, {
      ...DEAF,
      message(message) {
        if (message.type !== 'WELCOME') return
        clearTimeout(timer)
        connection.listener = DEAF
        resolve(connection)
      },
      closed(reason) {
        clearTimeout(timer)
        reject(reason)
      },
    })
    const late = (): void => connection.destroy(connection.unreachable('did not answer in time'))
    const timer = setTimeout(late, withinMs)
  })
}

/** The error for the case that no server could be used. */
function allFailed(failures: readonly TrocaError[]): TrocaError {
  const final = failures.find((failure) => !failure.retriable)
  if (final && failures.every((failure) => !failure.retriable)) return final
  const why = failures.map((failure) => failure.message).join(', ')
  const text = `no server could be reached: ${why}`
  // If every server asks to wait, the shortest wait counts; otherwise there is none.
  const waits = failures.map(({ retryAfterMs }) => retryAfterMs ?? 0)
  return clientError('UNREACHABLE', text, false, undefined, Math.min(...waits) || undefined)
}

export function firstToWelcome(servers: readonly Server[], options: DialOptions): Promise<Link> {
  // Rivals are dialled meanwhile, so a long wait for one server keeps no other from answering.
  const withinMs = Math.max(WELCOME_MS, options.patienceMs)
  return new Promise((resolve, reject) => {
    const failures: TrocaError[] = []
    let next = 0
    let won = false
    let timer: NodeJS.Timeout | undefined
    const tryNext = (): void => {
      clearTimeout(timer)
      const server = servers[next++]
      if (won || !server) return
      timer = setTimeout(tryNext, STAGGER_MS)
      dial(server, options, withinMs).then(
        (connection) => {
          if (won) return connection.close('another server was faster')
          won = true
          clearTimeout(timer)
          resolve(connection)
        },
        (error: TrocaError) => {
          failures.push(error)
          if (failures.length === servers.length) reject(allFailed(failures))
          else tryNext()
        },
      )
    }
    tryNext()
  })
}

/** Dials as firstToWelcome does, then prefers the coordinator that this server names. */
export async function findServer(servers: readonly Server[], options: DialOptions): Promise<Link> {
  const first = await firstToWelcome(servers, options)
  const named = first.welcome!.coordinator
  const coordinator = servers.find((server) => server.slot === named)
  if (!coordinator || named === first.server.slot) return first
  try {
    const connection = await dial(coordinator, options, asFarAs(first))
    first.close('going to the coordinator')
    return connection
  } catch (error) {
    // The named coordinator is gone, and the first server has not noticed it yet.
    if (!first.closed) return first
    throw error
  }
}

/** Logs this connection in; rejects with TrocaError. */
export async function logIn(connection: Link, who: Credentials): Promise<void> {
  const [password = '', ...others] = who.passwords
  try {
    await tryPassword(connection, who.user, password)
  } catch (error) {
    if ((error as TrocaError).name !== 'BAD_CREDENTIALS') throw error
    if (others.length > 0) return logIn(connection, { ...who, passwords: others })
    if (!who.leaving) throw error
  }
}

function tryPassword(connection: Link, name: string, password: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => connection.destroy(connection.unreachable('took too long to log in'))
    const timer = setTimeout(late, LOGIN_MS + FAR * connection.roundTripMs)
    connection.ask(
      (request) => ({ type: 'LOGIN', request, name, password }),
      (answer) => {
        if (answer?.type === 'PROGRESS') return
        clearTimeout(timer)
        if (answer?.type === 'SESSION') {
          connection.session = answer
          return resolve()
        }
        if (answer?.type === 'ERROR') return reject(fromRefusal(answer))
        reject(connection.unreachable('closed the connection while logging in'))
      },
    )
  })
}

/**
 * Logs this connection out. The server's end of the connection shows that it has handled everything
 * sent before.
 */
export function logOut(connection: Link, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs)
    const listener = connection.listener
    connection.listener = {
      ...listener,
      closed() {
        clearTimeout(timer)
        resolve()
      },
    }
    connection.send({ type: 'LOGOUT', request: connection.nextRequest() })
  })
}
