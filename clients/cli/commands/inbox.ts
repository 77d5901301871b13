// troca inbox: shows new messages and marks them as read; or exports the stored envelopes for any
// JOSE library.

import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import type { PageOptions } from '../../mailbox.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, result, resultJson } from '../output.js'
import { makeDirectory, writeOutput } from '../rsa-files.js'
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
  export?: 'jwe' | undefined
  out?: string | undefined
}

/** --since: a log index (messages after it) or a date (messages from then on). */
function parseSince(since: string): { after: number; fromMs: number } {
  if (/^\d+$/.test(since)) return { after: Number(since), fromMs: 0 }
  const fromMs = Date.parse(since)
  if (Number.isNaN(fromMs)) throw new Failure(EXIT.usage, '--since: a log index or a date')
  return { after: 0, fromMs }
}

interface Wanted {
  readonly after: number
  readonly fromMs: number
  readonly limit: number
}

function wanted(context: Context, client: Client, flags: Flags): Wanted & { seen: number } {
  const seen = Math.max(client.account!.cursor, context.read().accounts[context.user]?.cursor ?? 0)
  // The read mark of the last run may be lost with a killed replica, so it is sent again.
  client.ack(seen)
  const since = flags.since === undefined ? null : parseSince(flags.since)
  const after = since?.after ?? (flags.all ? 0 : seen)
  return { seen, after, fromMs: since?.fromMs ?? 0, limit: flags.limit ?? Infinity }
}

/** Shows messages page by page; gives their number and the last index. */
async function eachOf<M extends { readonly index: number; readonly time: number }>(
  read: (
    from: Pick<PageOptions, 'after' | 'since'>,
  ) => Promise<{ messages: readonly M[]; next: number; more: boolean }>,
  { after, fromMs, limit }: Wanted,
  show: (message: M) => void,
): Promise<{ shown: number; last: number }> {
  let [shown, last] = [0, 0]
  let from: Pick<PageOptions, 'after' | 'since'> = { after }
  if (fromMs > 0) from = { after, since: new Date(fromMs) }
  for (let more = true; more && shown < limit;) {
    const page = await read(from)
    for (const message of page.messages) {
      if (shown === limit) break
      if (message.time < fromMs) continue
      show(message)
      last = message.index
      shown++
    }
    from = { after: page.next }
    more = page.more
  }
  return { shown, last }
}

async function show(client: Client, context: Context, flags: Flags): Promise<void> {
  const { seen, ...which } = wanted(context, client, flags)
  if (!context.json) sayMode(client.account!)
  const { shown, last } = await eachOf(
    (from) => client.inbox({ ...from, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) }),
    which,
    (message) => showMessage(message, context.json),
  )
  if (shown === 0 && !context.json) note(say('noMessages'))
  if (flags.peek || last <= seen) return
  client.ack(last)
  context.rememberCursor(context.user, last)
}

/** Exports one JWE a line, or a file for each. An export marks nothing as read. */
async function exportJwe(client: Client, context: Context, flags: Flags): Promise<void> {
  const { out } = flags
  if (out !== undefined) makeDirectory(out)
  const { shown } = await eachOf(
    (from) => client.envelopes({ ...from, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) }),
    wanted(context, client, flags),
    (message) => {
      if (out !== undefined)
        writeOutput({ out: join(out, `${message.index}.jwe`) }, Buffer.from(`${message.jwe}\n`))
      else if (context.json) resultJson(message)
      else result(message.jwe)
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
    await withClient(context, { login: true }, (client) =>
      flags.export ? exportJwe(client, context, flags) : show(client, context, flags),
    )
  },
}
