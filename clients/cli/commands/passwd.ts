// troca passwd: changes the password of the current user.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'
import { askNewPassword, knownPassword } from '../password.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  'new-password-file'?: string | undefined
}

export const passwd: CommandModule<GlobalFlags, Flags> = {
  command: 'passwd',
  describe: 'change the password; all other sessions end',
  builder: (yargs) =>
    yargs.option('new-password-file', {
      type: 'string',
      describe: 'its first line is read (TROCA_NEW_PASSWORD)',
    }),
  async handler(flags) {
    const context = new Context(flags)
    const name = context.user
    context.servers()
    const password = await knownPassword(context, name, true)
    const newPassword = await askNewPassword(name, flags['new-password-file'])
    const account = await withClient(context, {}, async (client) => {
      await client.login(name, password, { timeoutMs: stepMs(context) })
      return client.changePassword(password, newPassword, { timeoutMs: stepMs(context) })
    })
    if (context.savedPassword(name) !== undefined) context.savePassword(name, newPassword)
    if (context.json) resultJson(account)
    else result(say('passwordChanged', { name }))
  },
}
