// troca keys signing NAME: the public keys that a user signs with, for troca open --signer.

import type { CommandModule } from 'yargs'
import { publicKeyToPem } from '../../../protocol/rsa/pem.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { resultJson } from '../output.js'
import { writeText } from '../rsa-files.js'
import { withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  out?: string | undefined
}

export const signing: CommandModule<GlobalFlags, Flags> = {
  command: 'signing <name>',
  describe: 'the public keys that this user signs with, the newest first (PEM)',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true })
      .option('out', { type: 'string', describe: 'file to write (stdout)' }),
  async handler(flags) {
    const context = new Context(flags)
    // contact() gives only keys that the known ones vouch for.
    const { name, keys } = await withClient(context, { login: true }, (client) =>
      client.contact(flags.name),
    )
    if (keys.length === 0) throw new Failure(EXIT.failed, say('signsNothing', { name }))
    const pem = keys.map((key) => publicKeyToPem(key.signing)).join('')
    const fingerprints = keys.map(({ fingerprint }) => fingerprint)
    const facts = { name, fingerprints }
    if (flags.out !== undefined || !context.json) writeText(flags.out, pem)
    if (context.json)
      resultJson(flags.out === undefined ? { ...facts, pem } : { ...facts, out: flags.out })
  },
}
