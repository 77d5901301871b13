// troca register NAME

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, progress, clearProgress, result, resultJson } from '../output.js'
import { askPassword } from '../password.js'
import { withClient } from '../run.js'
import { modeOf } from '../say-keys.js'
import { sayTalk } from '../talk/texts.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  save: boolean
  e2e: boolean
  bits?: number | undefined
  invitation?: string | undefined
}

export const register: CommandModule<GlobalFlags, Flags> = {
  command: 'register <name>',
  describe: 'make an account',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true })
      .option('save', { type: 'boolean', default: true, describe: 'keep the password here' })
      .option('e2e', {
        type: 'boolean',
        default: false,
        describe: 'the private keys are made here and never leave this machine',
      })
      .option('bits', { type: 'number', describe: 'bits of each key, with --e2e (3072)' })
      .option('invitation', { type: 'string', describe: 'code from troca invite' }),
  async handler(flags) {
    const context = new Context(flags)
    const { name, save, e2e, bits, invitation } = flags
    if (bits !== undefined && !e2e) {
      throw new Failure(EXIT.usage, '--bits: without --e2e the service makes the key')
    }
    context.servers()
    const password = await askPassword(context, name, true)
    const account = await withClient(context, {}, (client) => {
      const onProgress = (what: string): void => progress(say('working', { what }))
      const size = bits === undefined ? {} : { bits }
      const by = invitation === undefined ? {} : { invitation }
      return client.register(name, password, { endToEnd: e2e, onProgress, ...size, ...by })
    })
    clearProgress()
    context.rememberAccount(account)
    if (save) context.savePassword(name, password)
    if (context.json) return resultJson(account)
    result(say('registered', { ...account, mode: modeOf(account) }))
    if (e2e) note(say('keyFileAt', { path: context.keyStore.pathOf(name) }))
    if (save) note(say('remembered', { path: context.passwordPath(name) }))
    note(sayTalk('actingAs', { name: context.user }))
  },
}
