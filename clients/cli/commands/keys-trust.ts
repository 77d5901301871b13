// troca keys trust NAME: after two people have compared fingerprints by another way.

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
  describe: 'believe the keys of this user as they are now',
  builder: (yargs) =>
    yargs.positional('name', { type: 'string', demandOption: true }).option('fingerprint', {
      type: 'string',
      describe: 'only if it is this one: as its owner has told it',
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
