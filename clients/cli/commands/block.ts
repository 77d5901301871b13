// troca block NAME | --remove NAME | --list

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  name?: string | undefined
  remove?: string | undefined
  list: boolean
}

export const block: CommandModule<GlobalFlags, Flags> = {
  command: 'block [name]',
  describe: 'refuse messages from this user',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string' })
      .option('remove', { type: 'string', describe: 'accept messages from this user again' })
      .option('list', { type: 'boolean', default: false, describe: 'show the blocked users' }),
  async handler(flags) {
    const context = new Context(flags)
    const { name, remove, list } = flags
    const asked = [name !== undefined, remove !== undefined, list].filter(Boolean)
    if (asked.length !== 1) throw new Failure(EXIT.usage, 'block: NAME, --remove NAME or --list')
    const names = await withClient(context, { login: true }, ({ directory }) => {
      const options = { timeoutMs: stepMs(context) }
      if (name !== undefined) return directory.block(name, options)
      return remove === undefined ? directory.blocked(options) : directory.unblock(remove, options)
    })
    if (context.json) return resultJson({ blocked: names })
    if (list) return result(names.length > 0 ? names.join('\n') : say('nobodyBlocked'))
    const who = { name: name ?? remove ?? '' }
    result(say(name === undefined ? 'unblocked' : 'blocked', who))
  },
}
