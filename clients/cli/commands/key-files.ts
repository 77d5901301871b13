// troca keys export | import: the private keys of the current user, as PKCS#8 with a passphrase.

import type { Argv, CommandModule } from 'yargs'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import type { RsaPrivateKey } from '../../../protocol/rsa/keys.js'
import { privateKeyToEncryptedPem } from '../../../protocol/rsa/pem.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, note, progress, result, resultJson } from '../output.js'
import { askPassphrase, knownPassword, passphraseFileOption } from '../password.js'
import type { PassphraseFlags } from '../password.js'
import { entropy, readPrivateKeys, refuseExisting, writePrivateKey } from '../rsa-files.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

interface KeyFileFlags extends GlobalFlags, PassphraseFlags {
  kid?: string | undefined
}
interface ExportFlags extends KeyFileFlags {
  out?: string | undefined
  force: boolean
}
interface ImportFlags extends KeyFileFlags {
  in: string
}

const withKid = (yargs: Argv<GlobalFlags>, describe: string): Argv<KeyFileFlags> =>
  yargs.option('kid', { type: 'string', describe }).option('passphrase-file', passphraseFileOption)

/** The key with this fingerprint; all keys if `kid` is undefined. */
function chosen(keys: readonly RsaPrivateKey[], kid: string | undefined): readonly RsaPrivateKey[] {
  if (kid === undefined) return keys
  const key = keys.find((one) => thumbprint(one) === kid)
  if (!key) throw new Failure(EXIT.failed, say('noSuchKey', { kid }))
  return [key]
}

export const exportKeys: CommandModule<GlobalFlags, ExportFlags> = {
  command: 'export',
  describe: 'the private keys, the newest first, under a passphrase (PKCS#8, PBES2)',
  builder: (yargs) =>
    withKid(yargs, 'only the key of this fingerprint')
      .option('out', { type: 'string', describe: 'file to write (stdout)' })
      .option('force', { type: 'boolean', default: false, describe: 'overwrite an existing file' }),
  async handler(flags) {
    const { out, kid, force } = flags
    const context = new Context(flags)
    const name = context.user
    context.servers()
    if (out !== undefined && !force) refuseExisting(out)
    const password = await knownPassword(context, name, true)
    const passphrase = await askPassphrase(flags, { isNew: true })
    const all = await withClient(context, {}, async (client) => {
      await client.login(name, password, { timeoutMs: stepMs(context) })
      return client.exportKeys(password, { timeoutMs: stepMs(context) })
    })
    const keys = chosen(all, kid)
    const pem = keys.map((key) => privateKeyToEncryptedPem(key, passphrase, entropy)).join('')
    const facts = {
      name,
      keys: keys.map((key) => ({ fingerprint: thumbprint(key), bits: key.bits })),
    }
    if (out !== undefined) writePrivateKey(out, pem, force)
    if (context.json) resultJson({ ...facts, ...(out === undefined ? { pem } : { out }) })
    else result(out === undefined ? pem.trimEnd() : say('exported', { count: keys.length, out }))
  },
}

export const importKey: CommandModule<GlobalFlags, ImportFlags> = {
  command: 'import',
  describe: 'add a private key made elsewhere; the older keys still open older messages',
  builder: (yargs) =>
    withKid(yargs, 'the key of this fingerprint (the first of the file)').option('in', {
      type: 'string',
      demandOption: true,
      describe: 'PEM (PKCS#8, also under a passphrase, or PKCS#1), DER or JWK',
    }),
  async handler(flags) {
    const context = new Context(flags)
    const name = context.user
    context.servers()
    const keys = await readPrivateKeys({ ...flags, key: flags.in })
    const [key] = chosen(keys, flags.kid)
    if (keys.length > 1) note(say('severalKeys', { count: keys.length, kid: thumbprint(key!) }))
    const password = await knownPassword(context, name, false)
    const account = await withClient(context, {}, async (client) => {
      await client.login(name, password, { timeoutMs: stepMs(context) })
      const onProgress = (what: string): void => progress(say('working', { what }))
      return client.importKey(key!, password, { onProgress })
    })
    clearProgress()
    context.rememberAccount(account)
    if (context.json) resultJson(account)
    else result(say('rotated', { ...account }))
  },
}
