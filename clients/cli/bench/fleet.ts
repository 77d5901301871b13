// The throw-away users of a benchmark: each sender has a connection of its own, and so has each
// recipient that listens.

import { randomBytes } from 'node:crypto'
import type { Client } from '../../client.js'
import { clearProgress, progress } from '../output.js'
import type { Plan } from './plan.js'

export interface Fleet {
  readonly senders: readonly Client[]
  readonly recipients: readonly string[]
  /** Clients of the recipients; none if nobody listens. */
  readonly listeners: readonly Client[]
  /** Closes the connections that the fleet has opened. */
  abandon(): void
}

async function register(client: Client, name: string): Promise<string> {
  progress(`registering ${name}`)
  await client.register(name, randomBytes(16).toString('hex'))
  return name
}

/**
 * Registers the users of `plan`. `first` becomes the first sender; `connect` opens a further
 * connection.
 */
export async function openFleet(
  plan: Pick<Plan, 'senders' | 'recipients' | 'consume'>,
  first: Client,
  connect: () => Promise<Client>,
): Promise<Fleet> {
  const id = randomBytes(4).toString('hex')
  const opened: Client[] = []
  const open = async (): Promise<Client> => {
    const client = await connect()
    opened.push(client)
    return client
  }
  const abandon = (): void => {
    for (const client of opened) client.abandon('the benchmark is over')
  }
  try {
    const recipients: string[] = []
    const listeners: Client[] = []
    for (let i = 1; i <= plan.recipients; i++) {
      const client = plan.consume ? await open() : first
      recipients.push(await register(client, `bench-${id}-to-${i}`))
      if (plan.consume) listeners.push(client)
    }
    const senders: Client[] = []
    for (let i = 1; i <= plan.senders; i++) {
      const client = i === 1 ? first : await open()
      await register(client, `bench-${id}-${i}`)
      senders.push(client)
    }
    return { senders, recipients, listeners, abandon }
  } catch (error) {
    abandon()
    throw error
  } finally {
    clearProgress()
  }
}
