// Reads a password or passphrase from a file, the environment, a prompt without echo, or stdin. It
// is never an argument, because other users can see a process's arguments.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { MAX_PASSWORD_BYTES } from '../../protocol/password.js'
import { variable, type Context } from './context.js'
import { EXIT, Failure } from './failure.js'
import { advise } from './strength.js'
import { say } from './texts.js'

/** A word that is likely in passwords of this service. */
const SERVICE = 'troca'

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0]!

function prompt(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    // Ctrl-C, and Ctrl-D or any other end of the input; after an answer this has no effect.
    lines.once('close', () => {
      process.stderr.write('\n')
      reject(new Failure(EXIT.authentication, say('noPassword')))
    })
    lines.once('SIGINT', () => lines.close())
    lines.question('', (answer) => {
      resolve(answer)
      lines.close()
    })
  })
}

/** Asks for a line, with echo. */
export function askLine(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    // Ctrl-C and the end of input give an empty answer.
    lines.once('close', () => resolve(''))
    lines.question(question, (answer) => {
      resolve(answer)
      lines.close()
    })
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(EXIT.failed, say('cannotRead', { path, reason: code ?? String(error) }))
  }
}

/** The first line of stdin, or as much of it as shows that it is too long. */
async function fromStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > MAX_PASSWORD_BYTES) break
  }
  return firstLine(text)
}

/** The password of a file or of the environment. */
function given(context: Context): string | undefined {
  if (context.passwordFile !== undefined) {
    return firstLine(readText(context.passwordFile))
  }
  // As in a file, a newline at the end is not part of it.
  const password = variable('TROCA_PASSWORD')
  return password === undefined ? undefined : firstLine(password)
}

export interface PassphraseFlags {
  'passphrase-file'?: string | undefined
}

export const passphraseFileOption = {
  type: 'string',
  describe: 'its first line is the passphrase (TROCA_PASSPHRASE)',
} as const

/**
 * The passphrase of a key file: from a file, the environment, a prompt (twice if new), or stdin.
 */
export async function askPassphrase(
  flags: PassphraseFlags,
  { isNew = false, stdinIsTaken = false } = {},
): Promise<string> {
  const file = flags['passphrase-file'] ?? variable('TROCA_PASSPHRASE_FILE')
  const ready = file === undefined ? variable('TROCA_PASSPHRASE') : readText(file)
  if (ready) return isNew ? advised(firstLine(ready), []) : firstLine(ready)
  const missing = new Failure(EXIT.usage, say('noPassphrase'))
  if (file !== undefined || (stdinIsTaken && !process.stdin.isTTY)) throw missing
  return ask(say(isNew ? 'newPassphrase' : 'passphrase'), isNew ? [] : null, missing)
}

/** The password for register and log-in: given, or asked for (twice if new). */
export async function askPassword(context: Context, name: string, isNew: boolean): Promise<string> {
  const known = isNew ? [name, SERVICE] : null
  const ready = given(context)
  if (ready !== undefined) return known ? advised(ready, known) : ready
  return ask(say('password', { name }), known)
}

/** Returns a new secret as it is, after advice on it. */
async function advised(secret: string, known: readonly string[]): Promise<string> {
  await advise(secret, known)
  return secret
}

/**
 * Asks by prompt, twice for a new secret; without a terminal, reads stdin. `known`: words that an
 * attacker would try in a new secret; null: it is not new.
 */
async function ask(
  question: string,
  known: readonly string[] | null,
  missing = new Failure(EXIT.usage, say('noPassword')),
): Promise<string> {
  const password = process.stdin.isTTY ? await prompt(question) : await fromStdin()
  if (password === '') throw missing
  if (known) await advise(password, known)
  if (known && process.stdin.isTTY && (await prompt(say('passwordAgain'))) !== password) {
    throw new Failure(EXIT.usage, say('passwordsDiffer'))
  }
  return password
}

/** The new password of a change: from a file, the environment, a prompt (twice), or stdin. */
export async function askNewPassword(name: string, file: string | undefined): Promise<string> {
  const known = [name, SERVICE]
  const ready = file === undefined ? variable('TROCA_NEW_PASSWORD') : readText(file)
  return ready ? advised(firstLine(ready), known) : ask(say('newPassword', { name }), known)
}

/**
 * The password of an account: given, kept, or asked for. `stdinIsTaken`: stdin is the text to send.
 */
export async function knownPassword(
  context: Context,
  name: string,
  stdinIsTaken: boolean,
): Promise<string> {
  const ready = given(context) ?? context.savedPassword(name)
  if (ready !== undefined) return ready
  if (process.stdin.isTTY) return prompt(say('password', { name }))
  const password = stdinIsTaken ? '' : await fromStdin()
  if (password === '') throw new Failure(EXIT.authentication, say('noPassword'))
  return password
}
