// troca restore FILE: makes a cluster from a backup, in a new folder and with a new history.

import { join, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { note, result, resultJson } from '../output.js'
import { YES, confirm, repair } from '../repair/program.js'
import { say } from '../repair/texts.js'
import { describe, type Manifest } from './backup.js'

interface Flags extends GlobalFlags {
  file: string
  yes: boolean
}

interface Restored {
  readonly directory: string
  readonly historyId: string
  readonly newAuthority: boolean
}

export const restore: CommandModule<GlobalFlags, Flags> = {
  command: 'restore <file>',
  describe: 'make a cluster from a backup, in an empty folder (--dir)',
  builder: (yargs) =>
    yargs
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'a file of troca backup',
      })
      .option('yes', YES),
  async handler(flags) {
    const context = new Context(flags)
    const { dir } = context
    const file = resolve(flags.file)
    const manifest = await repair<Manifest>('verify', ['--file', file])
    await confirm([describe(file, manifest), say('restoreLoses', { dir })], flags.yes)
    const restored = await repair<Restored>('restore', ['--file', file, '--dir', dir])
    if (context.json) return resultJson(restored)
    const { historyId, newAuthority } = restored
    if (newAuthority) note(say('newAuthority', { file: join(dir, 'ca.pem') }))
    result(say('restored', { dir, historyId }))
  },
}
