// troca receipts: the states of sent messages; with --follow, also their changes from now on.

import type { CommandModule } from 'yargs'
import { ERRORS } from '../../../protocol/errors.js'
import type { Client } from '../../client.js'
import type { ReceiptEvent, SentMessage } from '../../receipts.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, paint, result, resultJson, table } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { formatTime } from '../talk/show-message.js'
import { say, sayError } from '../texts.js'

const DEFAULT_LIMIT = 20

interface Flags extends GlobalFlags {
  to?: string | undefined
  limit: number
  follow: boolean
}

type State = SentMessage['state'] | ReceiptEvent['state']

const isOpen = ({ state }: { readonly state: State }): boolean =>
  state === 'stored' || state === 'delivered'

function sayState(state: State): string {
  switch (state) {
    case 'accepted':
      return paint.dim(say('accepted'))
    case 'stored':
      return paint.yellow(say('stateStored'))
    case 'delivered':
      return paint.cyan(say('stateDelivered'))
    case 'read':
      return paint.green(say('stateRead'))
    case 'expired':
      return paint.red(say('stateExpired'))
    case 'refused':
      return paint.red(say('stateRefused'))
  }
}

function row({ index, to, time, state, error }: SentMessage): (string | number)[] {
  const why = error ? `: ${sayError(error, `${ERRORS[error].text} (${error})`)}` : ''
  return [index, to, formatTime(time), `${sayState(state)}${why}`]
}

function show(sends: readonly SentMessage[], context: Context): void {
  // Oldest first, as in an inbox.
  const inOrder = sends.toReversed()
  if (context.json) return inOrder.forEach((sent) => resultJson(sent))
  if (sends.length === 0) return note(say('nothingSent'))
  const head = [say('headIndex'), say('headTo'), say('headTime'), say('headState')]
  result(table(head, inOrder.map(row)))
}

/** Prints changes until every send is read or has expired, or until Ctrl-C. */
async function follow(
  client: Client,
  sends: readonly SentMessage[],
  context: Context,
): Promise<void> {
  const open = new Set(sends.filter(isOpen).map(({ index }) => index))
  if (open.size === 0) return
  client.events.on('disconnected', () => note(say('reconnecting')))
  const over = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
    client.events.on('receipt', (event) => {
      const { index, to, state } = event
      if (context.json) resultJson(event)
      else result(`${paint.dim(String(index).padStart(6))}  ${paint.cyan(to)}: ${sayState(state)}`)
      if (state === 'read' || state === 'expired') open.delete(index!)
      if (open.size === 0) resolve()
    })
  })
  await client.receipts.follow(sends, { timeoutMs: stepMs(context) })
  await over
}

export const receipts: CommandModule<GlobalFlags, Flags> = {
  command: 'receipts',
  describe: 'states of sent messages: stored, delivered, read, expired or refused',
  builder: (yargs) =>
    yargs
      .option('to', { type: 'string', describe: 'only messages to this user' })
      .option('limit', {
        type: 'number',
        default: DEFAULT_LIMIT,
        describe: 'number of messages, the newest',
      })
      .option('follow', {
        type: 'boolean',
        default: false,
        describe: 'also print changes, until all are read',
      }),
  async handler(flags) {
    const context = new Context(flags)
    const { to, limit } = flags
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new Failure(EXIT.usage, '--limit: a whole number above 0')
    }
    await withClient(context, { login: true }, async (client) => {
      const which = { limit, ...(to === undefined ? {} : { to }) }
      const sends = await client.receipts.list({ ...which, timeoutMs: stepMs(context) })
      show(sends, context)
      if (flags.follow) await follow(client, sends, context)
    })
  },
}
