// troca invite: makes a code with which one user can register. Only the code is on stdout.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note, result, resultJson } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

export const invite: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'invite',
  describe: 'make a code with which one user can register',
  async handler(flags) {
    const context = new Context(flags)
    const { code, expires } = await withClient(context, { login: true }, (client) =>
      client.directory.invite({ timeoutMs: stepMs(context) }),
    )
    if (context.json) return resultJson({ code, expires })
    result(code)
    note(say('invited', { code, until: new Date(expires).toISOString() }))
  },
}
