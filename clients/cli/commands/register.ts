// troca register NAME

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note, progress, clearProgress, result, resultJson } from '../output.js'
import { askPassword } from '../password.js'
import { withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  save: boolean
}

export const register: CommandModule<GlobalFlags, Flags> = {
  command: 'register <name>',
  describe: 'make an account and log in',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true })
      .option('save', { type: 'boolean', default: true, describe: 'keep the password here' }),
  async handler(flags) {
    const context = new Context(flags)
    const { name, save } = flags
    context.servers()
    const password = await askPassword(context, name, true)
    const account = await withClient(context, {}, (client) => {
      const onProgress = (what: string): void => progress(say('working', { what }))
      return client.register(name, password, { onProgress })
    })
    clearProgress()
    context.rememberAccount(account)
    if (save) context.savePassword(name, password)
    if (context.json) return resultJson(account)
    result(say('registered', { ...account }))
    if (save) note(say('remembered', { path: context.passwordPath(name) }))
  },
}
