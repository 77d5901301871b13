// troca send TO [TEXT]: sends one message, or with --lines one for each line of stdin, pipelined.

import type { CommandModule } from 'yargs'
import { MAX_TEXT } from '../../../protocol/schema/shared.js'
import type { Client } from '../../client.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, note, paintNote, printed, progress, result, resultJson } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { readableBy } from '../say-keys.js'
import { readAtMost, readText } from '../talk/input.js'
import { LineSender, type LineOutcome, type LineTally } from '../talk/line-sender.js'
import { sayTalk } from '../talk/texts.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  to: string
  text?: string[] | undefined
  lines: boolean
  'keep-going': boolean
  'start-line': number
  e2e: boolean
  /** The arguments after --, because a text may begin with a dash. */
  '--'?: string[]
}

const wrongUsage = (text: string): Failure => new Failure(EXIT.usage, text)

function toldAsJson(outcome: LineOutcome): string {
  const { line } = outcome
  if (outcome.outcome === 'stored') return JSON.stringify({ line, ok: true, ...outcome.receipt })
  const { why, outcome: what } = outcome
  return JSON.stringify({ line, ok: false, definite: what === 'refused', text: why })
}

const sayFailed = ({ line, ...failed }: LineOutcome): string => {
  if (failed.outcome === 'stored') return ''
  return sayTalk(failed.outcome === 'refused' ? 'lineRefused' : 'lineUnknown', {
    line,
    why: failed.why,
  })
}

/** What is known of all lines, in sentences. */
function summary({ stored, last, unsentFrom }: LineTally): string {
  const counted = last
    ? sayTalk('linesStored', { count: stored, index: last.index })
    : sayTalk('noLineStored')
  if (unsentFrom === null) return counted
  return `${counted}; ${sayTalk('linesUnsent', { line: unsentFrom - 1, next: unsentFrom })}`
}

async function sendLines(client: Client, flags: Flags, context: Context): Promise<void> {
  const { to, e2e: endToEnd, 'keep-going': keepGoing, 'start-line': startLine } = flags
  let closed = false
  let count = 0
  const tell = async (outcome: LineOutcome): Promise<void> => {
    count++
    if (outcome.outcome !== 'stored') note(paintNote.red(sayFailed(outcome)))
    else if (!context.json && count % 500 === 0) {
      progress(sayTalk('linesStored', { count, index: outcome.receipt.index }))
    }
    if (!context.json || closed) return
    await printed(toldAsJson(outcome)).catch(() => {
      closed = true
      sender.stop()
    })
  }
  const plan = { to, endToEnd, keepGoing, startLine, timeoutMs: context.timeoutMs }
  const sender = new LineSender(client, plan, tell)
  let interrupted = false
  // A second Ctrl-C ends the process at once.
  const interrupt = (): void => {
    interrupted = true
    sender.stop()
  }
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  const tally = await sender.run(process.stdin)
  clearProgress()
  const { stored, last, failed, unsentFrom } = tally
  if (failed.length === 0 && !closed && !interrupted) {
    if (!context.json) result(say('storedLines', { count: stored, ...where(tally) }))
    return
  }
  const why = [
    ...(interrupted ? [sayTalk('linesInterrupted')] : []),
    ...(closed ? [sayTalk('outputClosed')] : []),
  ]
  const facts = { stored, last: last?.index ?? null, failed, unsentFrom }
  throw new Failure(EXIT.failed, [...why, summary(tally)].join('; '), facts)
}

function where({ last }: LineTally): { index: number; mode: string } {
  return { index: last?.index ?? 0, mode: last ? readableBy(last) : '-' }
}

/** The text of one message: the argument, or stdin to its end. */
async function contentOf(text: string | undefined): Promise<string> {
  const bytes = text === undefined ? await readAtMost(process.stdin, MAX_TEXT) : Buffer.from(text)
  const read = readText(bytes, MAX_TEXT)
  if ('refused' in read) throw new Failure(EXIT.failed, `${read.refused}. ${say('notStored')}`)
  return read.text
}

export const send: CommandModule<GlobalFlags, Flags> = {
  command: 'send <to> [text..]',
  describe: 'send a message; without a text, or with -, the text is read from stdin',
  builder: (yargs) =>
    yargs
      .positional('to', { type: 'string', demandOption: true })
      .positional('text', { type: 'string', array: true })
      .option('lines', { type: 'boolean', default: false, describe: 'each line is a message' })
      .option('keep-going', {
        type: 'boolean',
        default: false,
        describe: 'with --lines: pass over lines that are refused',
      })
      .option('start-line', {
        type: 'number',
        default: 1,
        describe: 'with --lines: begin at this line of stdin',
      })
      .option('e2e', {
        type: 'boolean',
        default: false,
        describe: 'send only if no one but the recipient can read it',
      }),
  async handler(flags) {
    const context = new Context(flags)
    const { to, lines, e2e: endToEnd, 'start-line': startLine } = flags
    const words = [...(flags.text ?? []), ...(flags['--'] ?? [])]
    if (words.length > 1) throw wrongUsage(sayTalk('quote', { to, text: words.join(' ') }))
    // yargs turns a lone dash into an empty text.
    const isDash = words[0] === '' && process.argv.includes('-')
    const text = isDash ? undefined : words[0]
    if (lines && text !== undefined) throw wrongUsage('--lines reads stdin: give no text')
    if (!Number.isSafeInteger(startLine) || startLine < 1) {
      throw wrongUsage(`--start-line ${startLine}: a whole number above 0`)
    }
    if (!lines && (flags['keep-going'] || startLine > 1)) {
      throw wrongUsage('--keep-going and --start-line belong to --lines')
    }
    const need = { login: true, sending: true, stdinIsTaken: text === undefined }
    if (lines) return withClient(context, need, (client) => sendLines(client, flags, context))
    const content = await contentOf(text)
    const receipt = await withClient(context, need, (client) => {
      const sent = client.send(to, content, { endToEnd, timeoutMs: stepMs(context) })
      // The library tells whether the message may be stored; a second Ctrl-C ends at once.
      process.once('SIGINT', () => client.abandon(sayTalk('cutOff')))
      process.once('SIGTERM', () => client.abandon(sayTalk('cutOff')))
      return sent
    })
    if (context.json) resultJson(receipt)
    else {
      const { index } = receipt
      result(sayTalk('sentAs', { index, user: context.user, mode: readableBy(receipt) }))
    }
  },
}
