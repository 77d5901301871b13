// Finding a replica to talk to: who welcomes first, then the coordinator that it names. The next
// server is tried when one has failed, or when it takes its time: a stopped process accepts
// connections and says nothing.

import { Connection } from './connection.js'
import type { ConnectionListener, DialOptions } from './connection.js'
import { clientError, fromRefusal } from './errors.js'
import type { TrocaError } from './errors.js'
import type { Server } from './options.js'

const STAGGER_MS = 150
const WELCOME_MS = 1_500
const LOGIN_MS = 5_000

export interface Credentials {
  readonly user: string
  /** Two or more while a change is unanswered: the first that fits counts. */
  readonly passwords: readonly string[]
  /** The end of the account is unanswered: where nobody of that name is known, so be it. */
  readonly leaving?: boolean
}

const DEAF: ConnectionListener = { message() {}, closed() {}, drained() {} }

/** A connection that was welcomed; rejects with TrocaError. */
export function dial(server: Server, options: DialOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = new Connection(server, options, {
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
    const timer = setTimeout(late, WELCOME_MS)
  })
}

/** What is to be said when no server could be used. */
function allFailed(failures: readonly TrocaError[]): TrocaError {
  const final = failures.find((failure) => !failure.retriable)
  if (final && failures.every((failure) => !failure.retriable)) return final
  const why = failures.map((failure) => failure.message).join(', ')
  const text = `no server could be reached: ${why}`
  // Where all of them have said when to come again, the first of these times is soon enough.
  const waits = failures.map(({ retryAfterMs }) => retryAfterMs ?? 0)
  return clientError('UNREACHABLE', text, false, undefined, Math.min(...waits) || undefined)
}

export function firstToWelcome(
  servers: readonly Server[],
  options: DialOptions,
): Promise<Connection> {
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
      dial(server, options).then(
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

/** Like firstToWelcome, but prefers the coordinator that the first one names. */
export async function findServer(
  servers: readonly Server[],
  options: DialOptions,
): Promise<Connection> {
  const first = await firstToWelcome(servers, options)
  const named = first.welcome!.coordinator
  const coordinator = servers.find((server) => server.slot === named)
  if (!coordinator || named === first.server.slot) return first
  try {
    const connection = await dial(coordinator, options)
    first.close('going to the coordinator')
    return connection
  } catch (error) {
    // It is gone, and the first one has not noticed yet.
    if (!first.closed) return first
    throw error
  }
}

/** Logs this connection in; rejects with TrocaError. */
export async function logIn(connection: Connection, who: Credentials): Promise<void> {
  const [password = '', ...others] = who.passwords
  try {
    await tryPassword(connection, who.user, password)
  } catch (error) {
    if ((error as TrocaError).name !== 'BAD_CREDENTIALS') throw error
    if (others.length > 0) return logIn(connection, { ...who, passwords: others })
    if (!who.leaving) throw error
  }
}

function tryPassword(connection: Connection, name: string, password: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => connection.destroy(connection.unreachable('took too long to log in'))
    const timer = setTimeout(late, LOGIN_MS)
    connection.ask(
      (request) => ({ type: 'LOGIN', request, name, password }),
      (answer) => {
        if (answer?.type === 'PROGRESS') return
        clearTimeout(timer)
        if (answer?.type === 'SESSION') return resolve()
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
export function logOut(connection: Connection, withinMs: number): Promise<void> {
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
