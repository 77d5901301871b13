// troca whoami

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'

export const whoami: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'whoami',
  describe: 'the current user',
  handler(flags) {
    const context = new Context(flags)
    const name = context.user
    const { fingerprint = null, bits = null } = context.read().accounts[name] ?? {}
    if (context.json) return resultJson({ name, fingerprint, bits })
    result(fingerprint ? `${name} (${bits} bits, ${fingerprint})` : name)
  },
}
