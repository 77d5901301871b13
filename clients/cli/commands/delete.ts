// troca delete INDEX...: deletes messages of the mailbox, by the number that inbox shows.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  index: string[]
}

function parseIndex(text: string): number {
  const index = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(index) && index > 0) return index
  throw new Failure(
    EXIT.usage,
    `"${text}" is no log index: give the number that inbox shows before a message`,
  )
}

export const deleteCommand: CommandModule<GlobalFlags, Flags> = {
  command: 'delete <index...>',
  describe: 'delete messages of the mailbox for ever',
  builder: (yargs) =>
    yargs.positional('index', { type: 'string', array: true, demandOption: true }),
  async handler(flags) {
    const context = new Context(flags)
    const indices = flags.index.map(parseIndex)
    await withClient(context, { login: true }, (client) =>
      client.delete(indices, { timeoutMs: stepMs(context) }),
    )
    if (context.json) resultJson({ deleted: indices })
    else result(say('deleted', { count: indices.length }))
  },
}
