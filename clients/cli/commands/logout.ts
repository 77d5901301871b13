// troca logout: forgets the kept password and the current user. The account stays.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'
import { say } from '../texts.js'

export const logout: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'logout',
  describe: 'forget the kept password of the current user',
  handler(flags) {
    const context = new Context(flags)
    const name = context.user
    context.forget(name)
    if (context.json) resultJson({ loggedOut: name })
    else result(say('loggedOut', { name }))
  },
}
