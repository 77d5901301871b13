// troca account delete: deletes the current user's account for ever; retention is another file.

import type { Argv, CommandModule } from 'yargs'
import { accountRetention } from './account-retention.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, result, resultJson } from '../output.js'
import { askLine, knownPassword } from '../password.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'
import { NO_COMMAND } from '../help.js'

interface Flags extends GlobalFlags {
  yes: boolean
}

/** Asks the user to type the account's name. */
async function confirm(name: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Failure(EXIT.usage, say('deleteNeedsYes'))
  if ((await askLine(say('confirmDelete', { name }))).trim() === name) return
  throw new Failure(EXIT.failed, say('notDeleted', { name }))
}

const deleteAccount: CommandModule<GlobalFlags, Flags> = {
  command: 'delete',
  describe: 'delete the account and its mailbox; its name stays taken',
  builder: (yargs: Argv<GlobalFlags>) =>
    yargs.option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async handler(flags) {
    const context = new Context(flags)
    const name = context.user
    context.servers()
    if (!flags.yes) await confirm(name)
    const password = await knownPassword(context, name, false)
    const { held } = await withClient(context, {}, async (client) => {
      const account = await client.login(name, password, { timeoutMs: stepMs(context) })
      await client.deleteAccount(password, { timeoutMs: stepMs(context) })
      return account
    })
    context.forget(name)
    if (context.json) return resultJson({ deleted: name })
    result(say('accountDeleted', { name }))
    if (held === 'client') note(say('keyFileStays', { path: context.keyStore.pathOf(name) }))
  },
}

export const account: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'account',
  describe: 'the account of the current user',
  builder: (yargs: Argv<GlobalFlags>) =>
    yargs
      .command(deleteAccount)
      .command(accountRetention)
      .demandCommand(1, 1, NO_COMMAND, undefined),
  handler: () => {},
}
