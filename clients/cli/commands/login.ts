// troca login NAME

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note, result, resultJson } from '../output.js'
import { askPassword } from '../password.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  save: boolean
}

export const login: CommandModule<GlobalFlags, Flags> = {
  command: 'login <name>',
  describe: 'check the password and become this user',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true })
      .option('save', { type: 'boolean', default: true, describe: 'keep the password here' }),
  async handler(flags) {
    const context = new Context(flags)
    const { name, save } = flags
    context.servers()
    const password = await askPassword(context, name, false)
    const account = await withClient(context, {}, (client) =>
      client.login(name, password, { timeoutMs: stepMs(context) }),
    )
    context.rememberAccount(account)
    context.use(name)
    if (save) context.savePassword(name, password)
    if (context.json) return resultJson(account)
    result(say('loggedIn', { name }))
    if (save) note(say('remembered', { path: context.passwordPath(name) }))
  },
}
