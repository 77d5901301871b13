// troca open: opens JWEs of `troca inbox --export jwe` and of JOSE libraries. Signed ones open only
// with their signature and its key. Needs no cluster.

import type { CommandModule } from 'yargs'
import { EnvelopeError } from '../../../protocol/envelope/envelope-error.js'
import { openJwe } from '../../../protocol/envelope/jwe.js'
import type { OpenedJwe } from '../../../protocol/envelope/jwe.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { harmless, note, result, resultJson } from '../output.js'
import { passphraseFileOption } from '../password.js'
import { entropy, readInput, readPrivateKeys, readPublicKeys, writeOutput } from '../rsa-files.js'
import type { KeyFlags } from '../rsa-files.js'
import { say } from '../texts.js'
import { sayRsa } from '../rsa-texts.js'

interface Flags extends GlobalFlags, KeyFlags {
  signer?: string | undefined
  in?: string | undefined
  out?: string | undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(plaintext: Uint8Array): string | null {
  try {
    return utf8.decode(plaintext)
  } catch {
    return null
  }
}

/** Prints UTF-8 as text, other content in base64. */
function showJson({ header, plaintext }: OpenedJwe): void {
  const text = textOf(plaintext)
  const content = text === null ? { base64: Buffer.from(plaintext).toString('base64') } : { text }
  resultJson({ header, ...content })
}

/** Prints to a terminal: only text, and escaped. */
function showText(content: Uint8Array): void {
  const text = textOf(content)
  if (text === null) throw new Failure(EXIT.usage, sayRsa('rsaBinary'))
  result(harmless(text))
}

/** A single content unchanged; several contents with a newline after each. */
function join(plaintexts: readonly Uint8Array[]): Uint8Array {
  const [only] = plaintexts
  if (only && plaintexts.length === 1) return only
  return Buffer.concat(plaintexts.flatMap((one) => [one, Buffer.from('\n')]))
}

export const open: CommandModule<GlobalFlags, Flags> = {
  command: 'open',
  describe: 'open JWEs (RSA-OAEP-256, A256GCM), one a line, with a private key',
  builder: (yargs) =>
    yargs
      .option('key', { type: 'string', demandOption: true, describe: 'PEM, DER or JWK' })
      .option('passphrase-file', passphraseFileOption)
      .option('signer', {
        type: 'string',
        describe: 'PEM file of public keys, one of which signed (troca keys signing)',
      })
      .option('in', { type: 'string', describe: 'file to read (stdin)' })
      .option('out', { type: 'string', describe: 'file to write (stdout)' }),
  async handler(flags) {
    const keys = await readPrivateKeys(flags)
    const signers = flags.signer === undefined ? [] : readPublicKeys(flags.signer)
    const input = Buffer.from(await readInput(flags.in)).toString('latin1')
    const lines = input.split('\n').map((line) => line.trim())
    const jwes = lines.flatMap((jwe, i) => (jwe === '' ? [] : { jwe, line: i + 1 }))
    const opened: OpenedJwe[] = []
    for (const { jwe, line } of jwes) {
      try {
        opened.push(openJwe(jwe, keys, entropy, signers))
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error
        note(say('jweNotOpened', { line }))
      }
    }
    if (flags.json && flags.out === undefined) opened.forEach(showJson)
    else if (opened.length > 0) {
      const content = join(opened.map(({ plaintext }) => plaintext))
      if (flags.out === undefined && process.stdout.isTTY) showText(content)
      else writeOutput(flags, content)
    }
    if (opened.length < jwes.length || jwes.length === 0) {
      const facts = { opened: opened.length, count: jwes.length }
      throw new Failure(EXIT.failed, say('jweCount', facts), facts)
    }
  },
}
