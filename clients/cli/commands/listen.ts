// troca listen: prints messages as they arrive, and acknowledges each after printing it.

import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note } from '../output.js'
import { withClient } from '../run.js'
import { showMessage } from '../show-message.js'
import { sayMode } from '../say-keys.js'
import { say } from '../texts.js'

export const listen: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'listen',
  describe: 'print messages as they arrive',
  async handler(flags) {
    const context = new Context(flags)
    const name = context.user
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    process.once('SIGTERM', () => stop.abort())
    await withClient(context, { login: true }, async (client) => {
      client.events.on('disconnected', () => note(say('reconnecting')))
      note(say('listening', { name }))
      if (!context.json) sayMode(client.account!)
      const after = context.read().accounts[name]?.cursor ?? 0
      const from = after > client.account!.cursor ? { after } : {}
      // The read mark of the last run may be lost with a killed replica, so it is sent again.
      client.ack(after)
      let last = 0
      client.events.on('history', () => (last = 0))
      client.events.on('retrying', ({ reason }) => note(say('retrying', { reason })))
      for await (const message of client.messages({ ...from, signal: stop.signal })) {
        showMessage(message, context.json)
        message.ack()
        last = message.index
      }
      context.rememberCursor(name, last)
    })
  },
}
