// troca inbox: shows new messages and marks them as read; or exports the stored envelopes for any
// JOSE library.

import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import type { PageOptions } from '../../mailbox.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, OutputClosed, printed, result, resultJson } from '../output.js'
import { makeDirectory, writeOutput } from '../rsa-files.js'
import { stepMs, withClient } from '../run.js'
import { sayMode } from '../say-keys.js'
import { parseDate } from '../talk/dates.js'
import { showMessage } from '../talk/show-message.js'
import { sayTalk } from '../talk/texts.js'
import { say } from '../texts.js'

const PAGE_MESSAGES = 500

interface Flags extends GlobalFlags {
  all: boolean
  since?: string | undefined
  limit?: number | undefined
  peek: boolean
  export?: 'jwe' | undefined
  out?: string | undefined
}

/** --since: a log index (messages after it), or a date (messages from then on). */
function parseSince(since: string): { after: number; fromMs: number } {
  if (/^\d+$/.test(since)) return { after: Number(since), fromMs: 0 }
  return { after: 0, fromMs: parseDate('--since', since) }
}

interface Wanted {
  readonly after: number
  readonly fromMs: number
  readonly limit: number
}

function wanted(context: Context, client: Client, flags: Flags): Wanted & { seen: number } {
  const { limit = Infinity } = flags
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new Failure(EXIT.usage, `--limit ${limit}: a whole number above 0`)
  }
  const seen = Math.max(client.account!.cursor, context.read().accounts[context.user]?.cursor ?? 0)
  // The read mark of the last run may be lost with a killed replica, so it is sent again.
  client.ack(seen)
  const since = flags.since === undefined ? null : parseSince(flags.since)
  const after = since?.after ?? (flags.all ? 0 : seen)
  return { seen, after, fromMs: since?.fromMs ?? 0, limit }
}

interface Page<M> {
  readonly messages: readonly M[]
  readonly next: number
  readonly more: boolean
}

/**
 * Shows messages page by page. `passed` is told of each message that is left out for its date;
 * `shown` once after each page, with the index of the last message that was shown.
 */
async function eachOf<M extends { readonly index: number; readonly time: number }>(
  read: (from: Pick<PageOptions, 'after' | 'since'>) => Promise<Page<M>>,
  { after, fromMs, limit }: Wanted,
  show: (message: M) => Promise<void>,
  { passed, shown }: { passed?: (index: number) => void; shown?: (last: number) => void } = {},
): Promise<number> {
  let count = 0
  let from: Pick<PageOptions, 'after' | 'since'> = { after }
  if (fromMs > 0) from = { after, since: new Date(fromMs) }
  for (let more = true; more && count < limit;) {
    const page = await read(from)
    let last = 0
    for (const message of page.messages) {
      if (count === limit) break
      if (message.time < fromMs) {
        passed?.(message.index)
        continue
      }
      await show(message)
      last = message.index
      count++
    }
    if (last > 0) shown?.(last)
    from = { after: page.next }
    more = page.more
  }
  return count
}

async function show(client: Client, context: Context, flags: Flags): Promise<void> {
  const { seen, ...which } = wanted(context, client, flags)
  if (!context.json) sayMode(client.account!)
  // A mark covers everything before it: it moves only while nothing unread was passed over.
  let gap = which.after > seen
  let left = false
  const count = await eachOf(
    (from) => client.inbox({ ...from, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) }),
    which,
    (message) => showMessage(message, context.json),
    {
      passed: (index) => (gap ||= index > seen),
      shown: (last) => {
        if (flags.peek || last <= seen) return
        left ||= gap
        if (gap) return
        client.ack(last)
        context.rememberCursor(context.user, last)
      },
    },
  )
  if (context.json) return
  if (count === 0) note(say('noMessages'))
  if (left) note(sayTalk('leftUnread'))
}

/** Exports one JWE a line, or a file for each. An export marks nothing as read. */
async function exportJwe(client: Client, context: Context, flags: Flags): Promise<void> {
  const { out } = flags
  if (out !== undefined) makeDirectory(out)
  const shown = await eachOf(
    (from) => client.envelopes({ ...from, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) }),
    wanted(context, client, flags),
    async (message) => {
      const path = out === undefined ? null : join(out, `${message.index}.jwe`)
      if (path !== null) writeOutput({ out: path }, Buffer.from(`${message.jwe}\n`))
      else await printed(context.json ? JSON.stringify(message) : message.jwe)
    },
  )
  if (out !== undefined && context.json) resultJson({ out, count: shown })
  else if (out !== undefined) result(say('exportedTo', { count: shown, out }))
  else if (shown === 0 && !context.json) note(say('noMessages'))
}

export const inbox: CommandModule<GlobalFlags, Flags> = {
  command: 'inbox',
  describe: 'new messages',
  builder: (yargs) =>
    yargs
      .option('all', { type: 'boolean', default: false, describe: 'from the first message on' })
      .option('since', { type: 'string', describe: 'after this log index, or from this date on' })
      .option('limit', { type: 'number', describe: 'number of messages at most' })
      .option('peek', { type: 'boolean', default: false, describe: 'do not mark them as read' })
      .option('export', {
        choices: ['jwe'] as const,
        describe: 'sealed, as stored; do not mark them as read',
      })
      .option('out', {
        type: 'string',
        implies: 'export',
        describe: 'folder for one file each (stdout)',
      }),
  async handler(flags) {
    const context = new Context(flags)
    await withClient(context, { login: true }, async (client) => {
      try {
        await (flags.export ? exportJwe(client, context, flags) : show(client, context, flags))
      } catch (error) {
        if (!(error instanceof OutputClosed)) throw error
        throw new Failure(EXIT.failed, sayTalk('outputClosed'))
      }
    })
  },
}
