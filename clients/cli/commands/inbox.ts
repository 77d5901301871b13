// troca inbox: what is new since the last time, and remembers that it was shown.

import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { showMessage } from '../show-message.js'
import { sayMode } from '../say-keys.js'
import { say } from '../texts.js'

const PAGE_MESSAGES = 500

interface Flags extends GlobalFlags {
  all: boolean
  since?: string | undefined
  limit?: number | undefined
  peek: boolean
}

/** A log index, or a date: everything with a later place, or of that time and later. */
function parseSince(since: string): { after: number; fromMs: number } {
  if (/^\d+$/.test(since)) return { after: Number(since), fromMs: 0 }
  const fromMs = Date.parse(since)
  if (Number.isNaN(fromMs)) throw new Failure(EXIT.usage, '--since: a log index or a date')
  return { after: 0, fromMs }
}

async function show(client: Client, context: Context, flags: Flags): Promise<void> {
  const name = context.user
  const seen = Math.max(client.account!.cursor, context.read().accounts[name]?.cursor ?? 0)
  const since = flags.since === undefined ? null : parseSince(flags.since)
  const fromMs = since?.fromMs ?? 0
  const limit = flags.limit ?? Infinity
  let after = since?.after ?? (flags.all ? 0 : seen)
  let shown = 0
  let last = 0
  if (!context.json) sayMode(client.account!)
  for (let more = true; more && shown < limit;) {
    const page = await client.inbox({ after, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) })
    for (const message of page.messages) {
      if (shown === limit) break
      if (message.time < fromMs) continue
      showMessage(message, context.json)
      last = message.index
      shown++
    }
    after = page.next
    more = page.more
  }
  if (shown === 0 && !context.json) note(say('noMessages'))
  if (flags.peek || last <= seen) return
  client.ack(last)
  context.rememberCursor(name, last)
}

export const inbox: CommandModule<GlobalFlags, Flags> = {
  command: 'inbox',
  describe: 'new messages',
  builder: (yargs) =>
    yargs
      .option('all', { type: 'boolean', default: false, describe: 'from the first message on' })
      .option('since', { type: 'string', describe: 'after this log index, or from this date on' })
      .option('limit', { type: 'number', describe: 'so many at the most' })
      .option('peek', { type: 'boolean', default: false, describe: 'they stay new' }),
  async handler(flags) {
    const context = new Context(flags)
    await withClient(context, { login: true }, (client) => show(client, context, flags))
  },
}
