// troca send TO [TEXT]: sends one message, or with --lines one for each line of stdin, pipelined.

import { text as readAll } from 'node:stream/consumers'
import { createInterface } from 'node:readline'
import type { CommandModule } from 'yargs'
import type { Client } from '../../client.js'
import type { Receipt } from '../../outbox.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, progress, result, resultJson } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { readableBy } from '../say-keys.js'
import { say } from '../texts.js'

/** How many lines are sent before the first of them has its receipt. */
const LINES_UNDER_WAY = 512

interface Flags extends GlobalFlags {
  to: string
  text?: string | undefined
  lines: boolean
  e2e: boolean
  /** The arguments after --, because a text may begin with a dash. */
  '--'?: string[]
}

/** Stops at the first line that is not stored. The time-out is that of each line. */
async function sendLines(
  client: Client,
  { to, e2e: endToEnd }: Flags,
  context: Context,
): Promise<void> {
  const underWay: Promise<Receipt>[] = []
  let count = 0
  let last: Receipt | null = null
  const settleOne = async (): Promise<void> => {
    const receipt = await underWay.shift()!
    count++
    last = receipt
    if (context.json) resultJson(receipt)
    else if (count % 500 === 0) progress(storedLines(count, receipt))
  }
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const sent = client.send(to, line, { endToEnd, timeoutMs: context.timeoutMs })
    // settleOne() awaits the promise; until then a rejection must not end the process.
    sent.catch(() => {})
    underWay.push(sent)
    if (underWay.length >= LINES_UNDER_WAY) await settleOne()
  }
  while (underWay.length > 0) await settleOne()
  clearProgress()
  if (!context.json) result(storedLines(count, last))
}

function storedLines(count: number, last: Receipt | null): string {
  const mode = last ? readableBy(last) : '-'
  return say('storedLines', { count, index: last?.index ?? 0, mode })
}

export const send: CommandModule<GlobalFlags, Flags> = {
  command: 'send <to> [text]',
  describe: 'send a message; without a text, or with -, the text is read from stdin',
  builder: (yargs) =>
    yargs
      .positional('to', { type: 'string', demandOption: true })
      .positional('text', { type: 'string' })
      .option('lines', { type: 'boolean', default: false, describe: 'each line is a message' })
      .option('e2e', {
        type: 'boolean',
        default: false,
        describe: 'send only if no one but the recipient can read it',
      }),
  async handler(flags) {
    const context = new Context(flags)
    const { to, lines, e2e: endToEnd } = flags
    // yargs turns a lone dash into an empty text.
    const isDash = flags.text === '' && process.argv.includes('-')
    const text = isDash ? '-' : (flags.text ?? flags['--']?.[0])
    const stdinIsTaken = lines || text === undefined || text === '-'
    if (lines && text !== undefined && text !== '-') {
      throw new Failure(EXIT.usage, '--lines reads stdin: give no text')
    }
    const need = { login: true, sending: true, stdinIsTaken }
    if (lines) return withClient(context, need, (client) => sendLines(client, flags, context))
    // The newline that ends a line of input is not part of the message.
    const content = stdinIsTaken ? (await readAll(process.stdin)).replace(/\r?\n$/, '') : text
    const receipt = await withClient(context, need, (client) =>
      client.send(to, content, { endToEnd, timeoutMs: stepMs(context) }),
    )
    if (context.json) resultJson(receipt)
    else result(say('stored', { index: receipt.index, mode: readableBy(receipt) }))
  },
}
