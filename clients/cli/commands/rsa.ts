// troca rsa gen | public | encrypt | decrypt | sign | verify | inspect: the project's RSA on PEM
// files, compatible with openssl genpkey and pkeyutl. Needs no cluster.

import type { Argv, CommandModule } from 'yargs'
import { HASH_NAMES, PSS_HASH_NAMES, hashLength } from '../../../protocol/rsa/hashes.js'
import type { HashName, PssHashName } from '../../../protocol/rsa/hashes.js'
import { oaepDefaults, pssDefaults } from '../../../protocol/rsa/key-limits.js'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import { MAX_BITS, MIN_BITS, generateKey } from '../../../protocol/rsa/keys.js'
import type { RsaPublicKey } from '../../../protocol/rsa/keys.js'
import { oaepCapacity, oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import type { OaepOptions } from '../../../protocol/rsa/oaep.js'
import {
  privateKeyToEncryptedPem,
  privateKeyToPem,
  publicKeyToPem,
} from '../../../protocol/rsa/pem.js'
import { pssMaxSaltLength, pssSign, pssVerify } from '../../../protocol/rsa/pss.js'
import type { PssOptions } from '../../../protocol/rsa/pss.js'
import { RsaError } from '../../../protocol/rsa/rsa-error.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, progress, result, resultJson, table } from '../output.js'
import { askPassphrase, passphraseFileOption } from '../password.js'
import type { PassphraseFlags } from '../password.js'
import {
  entropy,
  readFile,
  readInput,
  readKey,
  readPrivateKey,
  readPublicKey,
  refuseExisting,
  refuseTerminal,
  writeOutput,
  writePrivateKey,
  writeText,
} from '../rsa-files.js'
import { sayRsa } from '../rsa-texts.js'
import { NO_COMMAND } from '../help.js'

const DEFAULT_BITS = 3072
const PROGRESS_EVERY_MS = 100

interface OutFlag extends GlobalFlags {
  out?: string | undefined
}
interface GenFlags extends OutFlag, PassphraseFlags {
  bits: number
  passphrase: boolean
}
interface KeyFlags extends OutFlag, PassphraseFlags {
  key: string
}
interface DataFlags extends KeyFlags {
  in?: string | undefined
  'mgf1-hash'?: HashName | undefined
}
interface OaepFlags extends DataFlags {
  hash?: HashName | undefined
  label: string
}
interface PssFlags extends DataFlags {
  hash?: PssHashName | undefined
  'salt-length': string
}

const outOption = { type: 'string', describe: 'file to write (stdout)' } as const
const keyOption = { type: 'string', demandOption: true, describe: 'PEM, DER or JWK' } as const
const hashHelp = "hash (the key's own, or sha256)"

const withKey = (yargs: Argv<GlobalFlags>): Argv<KeyFlags> =>
  yargs.option('key', keyOption).option('passphrase-file', passphraseFileOption)

const withData = (yargs: Argv<GlobalFlags>): Argv<DataFlags> =>
  withKey(yargs)
    .option('in', { type: 'string', describe: 'file to read (stdin)' })
    .option('out', outOption)
    .option('mgf1-hash', { choices: HASH_NAMES, describe: 'hash of the mask (as --hash)' })

const withLabel = (yargs: Argv<GlobalFlags>): Argv<OaepFlags> =>
  withData(yargs)
    .option('hash', { choices: HASH_NAMES, describe: hashHelp })
    .option('label', { type: 'string', default: '', describe: 'label, as UTF-8' })

const withSalt = (yargs: Argv<GlobalFlags>): Argv<PssFlags> =>
  withData(yargs)
    .option('hash', { choices: PSS_HASH_NAMES, describe: hashHelp })
    .option('salt-length', {
      type: 'string',
      default: 'digest',
      describe: 'bytes of salt; digest: as the hash; max',
    })

const gen: CommandModule<GlobalFlags, GenFlags> = {
  command: 'gen',
  describe: 'make a private key (PKCS#8)',
  builder: (yargs) =>
    yargs
      .option('bits', { type: 'number', default: DEFAULT_BITS, describe: 'bits of the modulus' })
      .option('passphrase', {
        type: 'boolean',
        default: false,
        describe: 'encrypt the key with a passphrase, by prompt (PBES2)',
      })
      .option('passphrase-file', passphraseFileOption)
      .option('out', outOption),
  async handler(flags) {
    const { bits, out, json } = flags
    if (!Number.isInteger(bits) || bits < MIN_BITS || bits > MAX_BITS) {
      throw new Failure(EXIT.usage, `--bits: ${MIN_BITS} to ${MAX_BITS}`)
    }
    if (out !== undefined) refuseExisting(out)
    const wanted = flags.passphrase || flags['passphrase-file'] !== undefined
    const passphrase = wanted ? await askPassphrase(flags, { isNew: true }) : null
    let told = -Infinity
    const key = generateKey(bits, entropy, (candidates) => {
      const now = performance.now()
      if (now - told < PROGRESS_EVERY_MS) return
      told = now
      progress(sayRsa('rsaSearching', { bits: Math.ceil(bits / 2), candidates }))
    })
    clearProgress()
    const pem =
      passphrase === null
        ? privateKeyToPem(key)
        : privateKeyToEncryptedPem(key, passphrase, entropy)
    const made = { bits, thumbprint: thumbprint(key) }
    if (out !== undefined) writePrivateKey(out, pem)
    if (json) resultJson({ ...made, ...(out === undefined ? { pem } : { out }) })
    else result(out === undefined ? pem.trimEnd() : sayRsa('rsaMade', { ...made, out }))
  },
}

const publicHalf: CommandModule<GlobalFlags, KeyFlags> = {
  command: 'public',
  describe: 'the public half of a key (SubjectPublicKeyInfo)',
  builder: (yargs) => withKey(yargs).option('out', outOption),
  async handler(flags) {
    writeText(flags.out, publicKeyToPem(await readPublicKey(flags)))
  },
}

const encrypt: CommandModule<GlobalFlags, OaepFlags> = {
  command: 'encrypt',
  describe: 'RSAES-OAEP for a public key',
  builder: withLabel,
  async handler(flags) {
    refuseTerminal(flags)
    const key = await readPublicKey(flags)
    const message = await readInput(flags.in)
    const options = oaepOptions(key, flags)
    const { hash } = options
    const capacity = oaepCapacity(key, hash)
    if (message.length > capacity) {
      const facts = { length: message.length, bits: key.bits, capacity, hash }
      throw new Failure(EXIT.failed, sayRsa('rsaTooLong', facts), facts)
    }
    writeOutput(flags, oaepEncrypt(key, message, entropy(hashLength(hash)), options))
  },
}

const decrypt: CommandModule<GlobalFlags, OaepFlags> = {
  command: 'decrypt',
  describe: 'RSAES-OAEP with a private key',
  builder: withLabel,
  async handler(flags) {
    const key = await readPrivateKey(flags)
    const ciphertext = await readInput(flags.in)
    try {
      writeOutput(flags, oaepDecrypt(key, ciphertext, entropy, oaepOptions(key, flags)))
    } catch (error) {
      if (error instanceof RsaError && error.code === 'decryption') {
        throw new Failure(EXIT.failed, sayRsa('rsaNotOpened'))
      }
      throw error
    }
  },
}

const sign: CommandModule<GlobalFlags, PssFlags> = {
  command: 'sign',
  describe: 'RSASSA-PSS with a private key',
  builder: withSalt,
  async handler(flags) {
    refuseTerminal(flags)
    const key = await readPrivateKey(flags)
    const options = pssOptions(key, flags)
    writeOutput(flags, pssSign(key, await readInput(flags.in), entropy, options))
  },
}

const verify: CommandModule<GlobalFlags, PssFlags & { signature: string }> = {
  command: 'verify',
  describe: 'RSASSA-PSS with a public key; exit code 1 when it is not valid',
  builder: (yargs) =>
    withSalt(yargs).option('signature', {
      type: 'string',
      demandOption: true,
      describe: 'file of the signature',
    }),
  async handler(flags) {
    const key = await readPublicKey(flags)
    const options = pssOptions(key, flags)
    const signature = readFile(flags.signature)
    if (!pssVerify(key, await readInput(flags.in), signature, options)) {
      throw new Failure(EXIT.failed, sayRsa('rsaInvalid'), { valid: false })
    }
    if (flags.json) resultJson({ valid: true })
    else result(sayRsa('rsaValid'))
  },
}

const inspect: CommandModule<GlobalFlags, KeyFlags> = {
  command: 'inspect',
  describe: 'show a key, after all checks',
  builder: withKey,
  async handler(flags) {
    const { kind, key } = await readKey(flags)
    const facts = {
      kind,
      bits: key.bits,
      exponent: key.e.toString(),
      thumbprint: thumbprint(key),
      ...(key.limits && { only: key.limits.uses.join(', '), because: key.limits.source }),
      modulus: key.n.toString(16),
    }
    if (flags.json) return resultJson(facts)
    const modulus = `${facts.modulus.slice(0, 16)}…${facts.modulus.slice(-16)}`
    result(table(['', ''], Object.entries({ ...facts, modulus })))
  },
}

function oaepOptions(
  key: RsaPublicKey,
  { hash = oaepDefaults(key).hash, 'mgf1-hash': mgf1Hash, label }: OaepFlags,
): OaepOptions & { hash: HashName } {
  return { hash, ...(mgf1Hash && { mgf1Hash }), label: Buffer.from(label) }
}

function pssOptions(
  key: RsaPublicKey,
  { hash = pssDefaults(key).hash, 'mgf1-hash': mgf1Hash, 'salt-length': asked }: PssFlags,
): PssOptions {
  const longest = pssMaxSaltLength(key, hash)
  const named = new Map([
    ['digest', Math.max(hashLength(hash), pssDefaults(key).minSaltLength ?? 0)],
    ['max', longest],
  ])
  const saltLength = named.get(asked) ?? (/^\d{1,4}$/.test(asked) ? Number(asked) : Infinity)
  if (saltLength > longest) {
    throw new Failure(EXIT.usage, `--salt-length: 0 to ${longest}, digest or max`)
  }
  return { hash, ...(mgf1Hash && { mgf1Hash }), saltLength }
}

export const rsa: CommandModule<GlobalFlags, GlobalFlags> = {
  command: 'rsa',
  describe: 'RSA on PEM files: gen, public, encrypt, decrypt, sign, verify, inspect',
  builder: (yargs) =>
    [publicHalf, encrypt, decrypt, sign, verify, inspect]
      .reduce((all, command) => all.command(command as CommandModule), yargs.command(gen))
      .demandCommand(1, 1, NO_COMMAND, undefined)
      .strict(),
  handler() {},
}
