// Runs a command's work with a client, and turns every error into a Failure within the time-out.

import { connect } from '../client.js'
import type { Client } from '../client.js'
import type { Context } from './context.js'
import { explain } from './failure.js'
import type { Sending } from './failure.js'
import { knownPassword } from './password.js'
import { note } from './output.js'
import { sayKeys } from './say-keys.js'
import { say } from './texts.js'

/** How long the cluster is asked what is wrong, at most. */
const EXPLAIN_MS = 1_000

export interface Need {
  /** Logs in as the current user. */
  readonly login?: boolean
  readonly sending?: boolean
  readonly stdinIsTaken?: boolean
}

/** Forgets read marks of another history, and says so. */
function followHistory(context: Context, history: string): void {
  for (const name of context.serves(history)) note(say('historyChanged', { name }))
}

/** The time-out of each answer of a server. What a person types takes its own time. */
export function stepMs(context: Context): number {
  return context.timeoutMs
}

export async function withClient<T>(
  context: Context,
  need: Need,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const servers = context.servers()
  const user = need.login ? context.user : undefined
  const password = user ? await knownPassword(context, user, need.stdinIsTaken ?? false) : undefined
  let client: Client | null = null
  let sending: Sending = need.sending ? 'not-begun' : 'no'
  try {
    client = await connect({ ...servers, keyStore: context.keyStore, timeoutMs: stepMs(context) })
    client.events.on('keys', sayKeys)
    const follow = (history: string): void => followHistory(context, history)
    follow(client.historyId!)
    client.events.on('history', ({ to }) => follow(to))
    if (user !== undefined) await client.login(user, password!, { timeoutMs: stepMs(context) })
    if (need.sending) sending = 'begun'
    const done = await work(client)
    await client.close()
    return done
  } catch (error) {
    const failure = await explain(error, client, sending, Math.min(EXPLAIN_MS, context.timeoutMs))
    client?.abandon('failed')
    throw failure
  }
}
