// troca use NAME: makes another account, whose password is kept here, the one that commands act as.

import type { CommandModule } from 'yargs'
import { Context, type GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { sayTalk } from '../talk/texts.js'

interface Flags extends GlobalFlags {
  name: string
}

export const use: CommandModule<GlobalFlags, Flags> = {
  command: 'use <name>',
  describe: 'act as this user from now on; its password is kept here',
  builder: (yargs) => yargs.positional('name', { type: 'string', demandOption: true }),
  handler({ name, ...flags }) {
    const context = new Context(flags)
    if (context.savedPassword(name) === undefined) {
      throw new Failure(EXIT.authentication, sayTalk('notKept', { name }))
    }
    context.use(name)
    if (context.json) resultJson({ user: name })
    else result(sayTalk('actingAs', { name }))
  },
}
