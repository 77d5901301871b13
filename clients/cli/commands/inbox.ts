// troca inbox: what is new since the last time, and remembers that it was shown; or the envelopes as
// they are stored, for any JOSE library.

import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
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

/** A log index, or a date: everything with a later place, or of that time and later. */
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
  // A replica that was killed may not have passed it on.
  client.ack(seen)
  const since = flags.since === undefined ? null : parseSince(flags.since)
  const after = since?.after ?? (flags.all ? 0 : seen)
  return { seen, after, fromMs: since?.fromMs ?? 0, limit: flags.limit ?? Infinity }
}

/** Page after page; how many were shown, and the last. */
async function eachOf<M extends { readonly index: number; readonly time: number }>(
  read: (after: number) => Promise<{ messages: readonly M[]; next: number; more: boolean }>,
  { after, fromMs, limit }: Wanted,
  show: (message: M) => void,
): Promise<{ shown: number; last: number }> {
  let [shown, last] = [0, 0]
  for (let more = true; more && shown < limit;) {
    const page = await read(after)
    for (const message of page.messages) {
      if (shown === limit) break
      if (message.time < fromMs) continue
      show(message)
      last = message.index
      shown++
    }
    after = page.next
    more = page.more
  }
  return { shown, last }
}

async function show(client: Client, context: Context, flags: Flags): Promise<void> {
  const { seen, ...which } = wanted(context, client, flags)
  if (!context.json) sayMode(client.account!)
  const { shown, last } = await eachOf(
    (after) => client.inbox({ after, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) }),
    which,
    (message) => showMessage(message, context.json),
  )
  if (shown === 0 && !context.json) note(say('noMessages'))
  if (flags.peek || last <= seen) return
  client.ack(last)
  context.rememberCursor(context.user, last)
}

/** One JWE a line, or a file each; what is exported is not thereby read. */
async function exportJwe(client: Client, context: Context, flags: Flags): Promise<void> {
  const { out } = flags
  if (out !== undefined) makeDirectory(out)
  const { shown } = await eachOf(
    (after) => client.envelopes({ after, limit: PAGE_MESSAGES, timeoutMs: stepMs(context) }),
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
      .option('limit', { type: 'number', describe: 'so many at the most' })
      .option('peek', { type: 'boolean', default: false, describe: 'they stay new' })
      .option('export', { choices: ['jwe'] as const, describe: 'as stored, sealed; they stay new' })
      .option('out', {
        type: 'string',
        implies: 'export',
        describe: 'folder: a file each (stdout)',
      }),
  async handler(flags) {
    const context = new Context(flags)
    await withClient(context, { login: true }, (client) =>
      flags.export ? exportJwe(client, context, flags) : show(client, context, flags),
    )
  },
}
