// troca keys trust NAME: trusts an account's present keys, after people have compared fingerprints.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'
import { withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  fingerprint?: string | undefined
}

export const trust: CommandModule<GlobalFlags, Flags> = {
  command: 'trust <name>',
  describe: 'trust the present keys of this user',
  builder: (yargs) =>
    yargs.positional('name', { type: 'string', demandOption: true }).option('fingerprint', {
      type: 'string',
      describe: 'trust only this fingerprint, which the owner has told you',
    }),
  async handler(flags) {
    const context = new Context(flags)
    const { name, held, fingerprint } = await withClient(context, { login: true }, (client) =>
      client.trust(flags.name, flags.fingerprint),
    )
    if (context.json) resultJson({ name, held, fingerprint })
    else result(say('keysTrusted', { name, fingerprint }))
  },
}
