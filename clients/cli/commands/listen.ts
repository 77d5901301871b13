// troca listen: shows messages as they arrive. Invariant: a message is acknowledged only after its
// reader has it: the line is written, or the command of --exec has ended with 0.

import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import type { ReceivedMessage } from '../../subscription.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, OutputClosed } from '../output.js'
import { withClient } from '../run.js'
import { sayMode } from '../say-keys.js'
import { runFor } from '../talk/exec.js'
import { showMessage } from '../talk/show-message.js'
import { sayTalk } from '../talk/texts.js'
import { say } from '../texts.js'

/** Messages that the service pushes before the first of them is acknowledged. */
const WINDOW = 256

interface Flags extends GlobalFlags {
  exec?: string | undefined
  ack: boolean
  count?: number | undefined
  wait?: number | undefined
}

interface Plan {
  readonly after: number | null
  readonly acknowledge: boolean
  readonly count: number
  readonly signal: AbortSignal
}

/**
 * The messages of the mailbox. Without acknowledgements the service's window would close, so a new
 * subscription begins where the last one stopped.
 */
async function* messagesOf(client: Client, { after, acknowledge, signal }: Plan) {
  let last = after
  for (;;) {
    let taken = 0
    const from = last === null ? {} : { after: last }
    for await (const message of client.messages({ ...from, signal, window: WINDOW })) {
      last = message.index
      yield message
      if (!acknowledge && ++taken === WINDOW) break
    }
    if (taken < WINDOW || signal.aborted) return
  }
}

/** Calls `late` once no message came for so long; each call of the result starts anew. */
function watch(waitMs: number, late: () => void): { again(): void; end(): void } {
  if (!Number.isFinite(waitMs)) return { again: () => {}, end: () => {} }
  let timer = setTimeout(late, waitMs)
  const end = (): void => clearTimeout(timer)
  const again = (): void => {
    end()
    timer = setTimeout(late, waitMs)
  }
  return { again, end }
}

async function hand(message: ReceivedMessage, flags: Flags, json: boolean): Promise<void> {
  const { exec } = flags
  if (exec === undefined) return showMessage(message, json)
  const end = await runFor(exec, message)
  if (end === null) return
  throw new Failure(EXIT.failed, sayTalk('commandFailed', { end, index: message.index }))
}

/** A whole number above 0; absent: no bound. */
function bound(flag: string, value: number | undefined): number {
  if (value === undefined) return Infinity
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Failure(EXIT.usage, `--${flag} ${value}: a whole number above 0`)
}

export const listen: CommandModule<GlobalFlags, Flags> = {
  command: 'listen',
  describe: 'print messages as they arrive',
  builder: (yargs) =>
    yargs
      .option('exec', {
        type: 'string',
        describe: 'run this command for each, with the message as JSON on stdin; 0 acknowledges',
      })
      .option('ack', {
        type: 'boolean',
        default: true,
        describe: 'mark what was shown as read (--no-ack: not)',
      })
      .option('count', { type: 'number', describe: 'end after so many messages' })
      .option('wait', { type: 'number', describe: 'end if no message comes for so many seconds' }),
  async handler(flags) {
    const context = new Context(flags)
    const name = context.user
    const count = bound('count', flags.count)
    const waitMs = bound('wait', flags.wait) * 1_000
    const stop = new AbortController()
    let late = false
    process.once('SIGINT', () => stop.abort())
    process.once('SIGTERM', () => stop.abort())
    await withClient(context, { login: true }, async (client) => {
      client.events.on('disconnected', () => note(say('reconnecting')))
      note(say('listening', { name }))
      if (!context.json) sayMode(client.account!)
      const read = context.read().accounts[name]?.cursor ?? 0
      const after = read > client.account!.cursor ? read : null
      // The read mark of the last run may be lost with a killed replica, so it is sent again.
      client.ack(read)
      const plan = { after, acknowledge: flags.ack, count, signal: stop.signal }
      const waiting = watch(waitMs, () => {
        late = true
        stop.abort()
      })
      let [shown, last] = [0, 0]
      client.events.on('history', () => (last = 0))
      client.events.on('retrying', ({ reason }) => note(say('retrying', { reason })))
      try {
        for await (const message of messagesOf(client, plan)) {
          await hand(message, flags, context.json)
          if (flags.ack) message.ack()
          last = message.index
          if (++shown === count) break
          waiting.again()
        }
      } catch (error) {
        if (!(error instanceof OutputClosed)) throw error
        throw new Failure(EXIT.failed, sayTalk('outputClosed'))
      } finally {
        waiting.end()
        if (flags.ack) context.rememberCursor(name, last)
      }
      if (late && (shown === 0 || Number.isFinite(count))) {
        throw new Failure(EXIT.timedOut, sayTalk('waited', { seconds: waitMs / 1_000 }))
      }
    })
  },
}
