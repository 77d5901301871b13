// troca delete INDEX...: deletes messages of the mailbox, by the number that inbox shows, by ranges
// of numbers, by date, or all. Only what is in the mailbox is deleted and counted.

import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { askLine } from '../password.js'
import { stepMs, withClient } from '../run.js'
import { parseDate } from '../talk/dates.js'
import { sayTalk } from '../talk/texts.js'

const PAGE_MESSAGES = 500

interface Flags extends GlobalFlags {
  index?: string[] | undefined
  all: boolean
  before?: string | undefined
  yes: boolean
}

/** Log indices, both ends included, and a time in ms that messages are older than. */
interface Range {
  readonly first: number
  readonly last: number
  readonly beforeMs: number
}

function parseRange(text: string): Range {
  const [, from = '', to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (Number.isSafeInteger(last) && first > 0 && first <= last) {
    return { first, last, beforeMs: Infinity }
  }
  throw new Failure(
    EXIT.usage,
    `"${text}" is no log index: give the number that inbox shows before a message, or a range such as 3-9`,
  )
}

function rangesOf({ index = [], all, before }: Flags): Range[] {
  const ways = [index.length > 0, all, before !== undefined].filter(Boolean).length
  if (ways !== 1) throw new Failure(EXIT.usage, 'give indices, or --all, or --before DATE')
  if (index.length > 0) return index.map(parseRange)
  const beforeMs = before === undefined ? Infinity : parseDate('--before', before)
  return [{ first: 1, last: Infinity, beforeMs }]
}

/** The messages of the mailbox within the ranges. */
async function present(client: Client, ranges: readonly Range[], timeoutMs: number) {
  const found = new Set<number>()
  for (const { first, last, beforeMs } of ranges) {
    for (let [after, more] = [first - 1, true]; more && after < last;) {
      const limit = Math.min(PAGE_MESSAGES, last - after)
      const page = await client.inbox({ after, limit, timeoutMs })
      for (const { index, time } of page.messages) {
        if (index <= last && time < beforeMs) found.add(index)
      }
      after = page.next
      more = page.more
    }
  }
  return [...found].sort((a, b) => a - b)
}

async function confirm(count: number, name: string, { yes }: Flags): Promise<void> {
  if (yes || count === 0) return
  if (!process.stdin.isTTY) throw new Failure(EXIT.usage, sayTalk('deleteNeedsYes', { count }))
  const typed = await askLine(sayTalk('confirmDelete', { count, name }))
  if (typed !== name) throw new Failure(EXIT.failed, sayTalk('notDeleted'))
}

export const deleteCommand: CommandModule<GlobalFlags, Flags> = {
  command: 'delete [index...]',
  describe: 'delete messages of the mailbox for ever',
  builder: (yargs) =>
    yargs
      .positional('index', { type: 'string', array: true, describe: '17, or a range: 3-9' })
      .option('all', { type: 'boolean', default: false, describe: 'every message' })
      .option('before', { type: 'string', describe: 'messages before this date' })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async handler(flags) {
    const context = new Context(flags)
    const ranges = rangesOf(flags)
    await withClient(context, { login: true }, async (client) => {
      const timeoutMs = stepMs(context)
      const indices = await present(client, ranges, timeoutMs)
      const single = ranges.filter(({ first, last }) => first === last)
      const missing = single.map(({ first }) => first).filter((index) => !indices.includes(index))
      if (flags.all || flags.before !== undefined) {
        await confirm(indices.length, context.user, flags)
      }
      if (indices.length > 0) await client.delete(indices, { timeoutMs })
      if (context.json) return resultJson({ deleted: indices, missing })
      result(sayTalk('deleted', { count: indices.length }))
      if (missing.length > 0) {
        const text = sayTalk('notThere', { indices: missing.join(', ') })
        throw new Failure(EXIT.failed, text)
      }
    })
  },
}
