// troca whoami

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'
import { modeOf } from '../say-keys.js'

export const whoami: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'whoami',
  describe: 'the current user',
  handler(flags) {
    const context = new Context(flags)
    const name = context.user
    const account = context.read().accounts[name]
    const { held = null, fingerprint = null, bits = null } = account ?? {}
    if (context.json) return resultJson({ name, held, fingerprint, bits })
    result(account ? `${name} (${bits} bits, ${modeOf(account)}, ${fingerprint})` : name)
  },
}
