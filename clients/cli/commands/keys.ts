// troca keys list | fingerprint [NAME] | signing NAME | trust NAME | rotate | export | import

import type { Argv, CommandModule } from 'yargs'
import { TrocaError } from '../../errors.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, progress, result, resultJson, table } from '../output.js'
import { knownPassword } from '../password.js'
import { stepMs, withClient } from '../run.js'
import { modeOf } from '../say-keys.js'
import { sayTalk } from '../talk/texts.js'
import { say } from '../texts.js'
import { exportKeys, importKey } from './key-files.js'
import { signing } from './keys-signing.js'
import { trust } from './keys-trust.js'
import { NO_COMMAND } from '../help.js'

interface OfUser extends GlobalFlags {
  name?: string | undefined
}

const list: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'list',
  describe: 'the keys of the current user, the newest first',
  async handler(flags) {
    const context = new Context(flags)
    const keys = await withClient(context, { login: true }, (client) =>
      client.keys(context.user, { timeoutMs: stepMs(context) }),
    )
    if (context.json) return resultJson({ name: context.user, keys })
    const rows = keys.map(({ fingerprint, bits, held }, i) => {
      return [fingerprint, bits, modeOf({ held }), say(i === 0 ? 'keyInUse' : 'keyOld')]
    })
    result(table(['fingerprint', 'bits', '', ''], rows))
  },
}

const fingerprint: CommandModule<GlobalFlags, OfUser> = {
  command: 'fingerprint [name]',
  describe: 'fingerprint of the key that messages to this user are sealed for',
  builder: (yargs: Argv<GlobalFlags>) => yargs.positional('name', { type: 'string' }),
  async handler(flags) {
    const context = new Context(flags)
    const name = flags.name ?? context.user
    const [key] = await withClient(context, { login: true }, async (client) => {
      // contact() emits a notice, and sayKeys a warning, if the keys are not the known ones.
      if (name !== context.user) await client.contact(name).catch(unlessUntrusted)
      return client.keys(name, { timeoutMs: stepMs(context) })
    })
    if (context.json) resultJson({ name, ...key })
    else result(key!.fingerprint)
  },
}

function unlessUntrusted(error: unknown): void {
  if (!(error instanceof TrocaError && error.name === 'UNTRUSTED_KEY')) throw error
}

interface Rotation extends GlobalFlags {
  bits?: number | undefined
}

const rotate: CommandModule<GlobalFlags, Rotation> = {
  command: 'rotate',
  describe: 'make a new key; the older keys still open older messages',
  builder: (yargs) =>
    yargs.option('bits', { type: 'number', describe: 'bits of keys that are made here (3072)' }),
  async handler(flags) {
    const context = new Context(flags)
    const name = context.user
    context.servers()
    const password = await knownPassword(context, name, false)
    const account = await withClient(context, {}, async (client) => {
      const { held } = await client.login(name, password, { timeoutMs: stepMs(context) })
      const onProgress = (what: string): void => progress(say('working', { what }))
      const { bits } = flags
      if (held === 'service' && bits !== undefined) {
        throw new Failure(EXIT.usage, sayTalk('bitsOfService', { name }))
      }
      return client.rotateKey(password, { onProgress, ...(bits === undefined ? {} : { bits }) })
    })
    clearProgress()
    context.rememberAccount(account)
    if (context.json) resultJson(account)
    else result(say('rotated', { ...account }))
  },
}

export const keys: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'keys',
  describe: 'the keys of an account: list, fingerprint, signing, trust, rotate, export, import',
  builder: (yargs) =>
    yargs
      .command(list)
      .command(fingerprint)
      .command(signing)
      .command(trust)
      .command(rotate)
      .command(exportKeys)
      .command(importKey)
      .demandCommand(1, 1, NO_COMMAND, undefined)
      .strict(),
  handler() {},
}
