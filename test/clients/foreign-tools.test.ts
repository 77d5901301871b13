// Keys as openssl, certtool (GnuTLS) and ssh-keygen write them, read as troca rsa reads them. What an
// error advises is run as it stands, and the file that it makes is read. A part whose program is
// absent is skipped, and says so.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { Failure } from '../../clients/cli/failure.js'
import { readKey, type Key } from '../../clients/cli/rsa-files.js'
import { privateKeyToJwk, thumbprint } from '../../protocol/rsa/jwk.js'
import { fixture } from '../protocol/rsa/fixtures.js'

t.setTimeout(480_000)

const MAIN = fileURLToPath(new URL('../../clients/cli/main.js', import.meta.url))
const PASSPHRASE = 'open sesame'
/** openssl reads and writes with this passphrase. */
const PHRASES = '-passin env:TROCA_PASSPHRASE -passout env:TROCA_PASSPHRASE'
const dir = t.testdir({ note: 'Attack at dawn', phrase: PASSPHRASE })
const at = (name: string): string => join(dir, name)

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, args: readonly string[]): Ended {
  const { PATH } = process.env
  const env = { PATH, LANG: 'C', HOME: dir, TROCA_DIR: at('none'), TROCA_PASSPHRASE: PASSPHRASE }
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: dir, env, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

function troca(args: string): Ended {
  return run(process.execPath, [MAIN, 'rsa', ...args.split(' ')])
}

/** Runs a line of a shell that must succeed. */
function shell(t: Test, line: string): string {
  const { code, stdout, stderr } = run('sh', ['-c', line])
  t.equal(code, 0, `${line}: ${stderr}`)
  return stdout
}

/** Reads a key as the commands do. */
function read(file: string): Promise<Key> {
  return readKey({ key: resolve(dir, file), 'passphrase-file': at('phrase') })
}

/** The thumbprint of a key that is read. */
async function thumbprintOf(t: Test, file: string): Promise<string> {
  try {
    return thumbprint((await read(file)).key)
  } catch (error) {
    t.fail(`${file}: ${String(error)}`)
    return ''
  }
}

/** The reason why a key is not read. */
async function refusalOf(t: Test, file: string): Promise<string> {
  const refusal = await read(file).catch((error: unknown) => error)
  t.ok(refusal instanceof Failure, file)
  return refusal instanceof Failure ? refusal.message : ''
}

/** Runs what the refusal of a file advises, after "; ", with the file in its place; makes NEW. */
async function follow(t: Test, file: string, options = ''): Promise<string> {
  const refusal = await refusalOf(t, file)
  const advice = /; (.*?)(?: converts it| gives its (?:public|private) key)/.exec(refusal)?.[1]
  t.ok(advice, refusal)
  rmSync(at('NEW'), { force: true })
  shell(t, `${(advice ?? 'false').replaceAll(/\b(?:KEY|FILE)\b/g, file)} ${options}`)
  return thumbprintOf(t, 'NEW')
}

const absent = (program: string, ...args: string[]): string | false =>
  spawnSync(program, args).error ? `there is no program ${program} here` : false
const noOpenssl = absent('openssl', 'version')
const noCerttool = noOpenssl || absent('certtool', '--version')
const noSsh = noOpenssl || absent('ssh-keygen', '-?')
const noPutty = noSsh || absent('puttygen', '--version')

t.before(() => {
  if (noOpenssl) return
  shell(t, 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out own.pem')
})

t.test('openssl: DER, Bag Attributes, several primes, PKCS#12', { skip: noOpenssl }, async (t) => {
  const own = await thumbprintOf(t, 'own.pem')
  shell(t, 'openssl pkcs8 -topk8 -nocrypt -in own.pem -outform DER -out pkcs8.der')
  shell(t, 'openssl pkey -in own.pem -pubout -outform DER -out spki.der')
  shell(t, 'openssl rsa -in own.pem -traditional -outform DER -out pkcs1.der')
  shell(t, 'openssl rsa -in own.pem -RSAPublicKey_out -outform DER -out public.der')
  shell(t, 'openssl pkcs8 -topk8 -in own.pem -passout file:phrase -outform DER -out sealed.der')
  shell(t, 'openssl req -x509 -new -key own.pem -subj /CN=x -out own.crt')
  shell(t, 'openssl req -new -key own.pem -subj /CN=x -out own.csr')
  shell(t, 'openssl x509 -in own.crt -outform DER -out own.cer')
  shell(t, 'openssl pkcs12 -export -inkey own.pem -in own.crt -passout file:phrase -out own.p12')
  shell(t, 'openssl pkcs12 -in own.p12 -passin file:phrase -nodes -out bag.pem')
  t.match(readFileSync(at('bag.pem'), 'utf8'), /Bag Attributes[^]*BEGIN CERT[^]*BEGIN PRIVATE KEY/)
  for (const name of [
    'pkcs8.der',
    'spki.der',
    'pkcs1.der',
    'public.der',
    'sealed.der',
    'bag.pem',
  ]) {
    t.equal(await thumbprintOf(t, name), own, name)
  }

  for (const name of ['own.crt', 'own.cer', 'own.csr']) {
    t.equal(await follow(t, name), own, `as advised for ${name}`)
  }
  t.equal(await follow(t, 'own.p12', PHRASES), own, 'as advised for PKCS#12')

  const three = '-pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3'
  shell(t, `openssl genpkey -algorithm RSA ${three} -out three.pem`)
  t.match(await refusalOf(t, 'three.pem'), /it has 3 primes, .* troca rsa gen --out NEW/)
})

t.test('openssl: keys of id-RSASSA-PSS', { skip: noOpenssl }, async (t) => {
  const parameters = [
    ...['rsa_keygen_bits:2048', 'rsa_pss_keygen_md:sha384', 'rsa_pss_keygen_mgf1_md:sha384'],
    'rsa_pss_keygen_saltlen:48',
  ]
  const options = parameters.map((one) => `-pkeyopt ${one}`).join(' ')
  shell(t, `openssl genpkey -algorithm RSA-PSS ${options} -out pss.pem`)
  shell(t, 'openssl pkey -in pss.pem -pubout -out pss.pub')
  t.equal(troca('public --key pss.pem').stdout, readFileSync(at('pss.pub'), 'utf8'))
  t.equal(troca('sign --key pss.pem --in note --out ours').code, 0)
  shell(
    t,
    'openssl pkeyutl -verify -pubin -inkey pss.pub -rawin -digest sha384 -in note -sigfile ours',
  )
  shell(
    t,
    'openssl pkeyutl -sign -inkey pss.pem -rawin -digest sha384 -in note -out theirs -pkeyopt rsa_pss_saltlen:48',
  )
  t.equal(troca('verify --key pss.pub --in note --signature theirs').code, 0)
  const refusals: readonly [string, RegExp][] = [
    ['encrypt --key pss.pub --in note --out x', /not to encrypt, but to sign and verify/],
    ['decrypt --key pss.pem --in note', /not to decrypt/],
    ['sign --key pss.pem --in note --out x --hash sha256', /sha384\/sha384, and sha256\/sha256/],
    [
      'sign --key pss.pem --in note --out x --salt-length 32',
      /at least 48 bytes, and 32 are asked/,
    ],
  ]
  for (const [args, reason] of refusals) {
    const { code, stderr } = troca(args)
    t.equal(code, 1)
    t.match(stderr, reason)
  }
  t.notOk(existsSync(at('x')))
})

t.test('certtool (GnuTLS)', { skip: noCerttool }, async (t) => {
  const own = await thumbprintOf(t, 'own.pem')
  const sealing = '--load-privkey own.pem --to-p8 --password "$TROCA_PASSPHRASE" --pkcs-cipher'
  for (const cipher of ['aes-128', 'aes-192', 'aes-256']) {
    shell(t, `certtool ${sealing} ${cipher} --outfile gnutls.pem`)
    t.equal(await thumbprintOf(t, 'gnutls.pem'), own, cipher)
  }
  // The first identifier of the PRF has no null: 30 0a 06 08 instead of 30 0c 06 08.
  const base64 = readFileSync(at('gnutls.pem'), 'utf8').replace(/-----.*-----|\s/g, '')
  t.match(Buffer.from(base64, 'base64').toString('hex'), /300a06082a864886f70d0209/)

  shell(t, `certtool ${sealing} 3des --outfile gnutls.pem`)
  t.equal(await follow(t, 'gnutls.pem', PHRASES), own, 'as advised for 3DES')

  shell(t, 'certtool --load-privkey own.pem --pubkey-info > gnutls.pub')
  t.match(readFileSync(at('gnutls.pub'), 'utf8'), /^Public Key Info/, 'text before the block')
  t.equal(await thumbprintOf(t, 'gnutls.pub'), own)
  shell(t, 'certtool --generate-privkey --key-type rsa --bits 2048 > gnutls.pem')
  t.match(readFileSync(at('gnutls.pem'), 'utf8'), /^Public Key Info/)
  await thumbprintOf(t, 'gnutls.pem')
  const pss = '--key-type rsa-pss --hash sha256 --salt-size 32 --bits 2048'
  shell(t, `certtool --generate-privkey ${pss} --outfile gnutls.pem`)
  t.match(troca('inspect --key gnutls.pem').stdout, /sign, verify/)
})

t.test('ssh-keygen (OpenSSH)', { skip: noSsh }, async (t) => {
  shell(t, 'ssh-keygen -q -t rsa -b 2048 -N "" -C alice -f ssh')
  shell(t, 'ssh-keygen -e -m RFC4716 -f ssh.pub > ssh2.pub')
  const own = await follow(t, 'ssh', '-N ""')
  for (const name of ['ssh.pub', 'ssh2.pub']) {
    t.equal(await follow(t, name), own, `as advised for ${name}`)
  }
  shell(t, 'ssh-keygen -q -t rsa -b 2048 -N "$TROCA_PASSPHRASE" -f locked')
  await follow(t, 'locked', '-P "$TROCA_PASSPHRASE" -N "$TROCA_PASSPHRASE"')
  t.match(readFileSync(at('NEW'), 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
})

t.test('puttygen (PuTTY)', { skip: noPutty }, async (t) => {
  const random = '--random-device /dev/urandom --new-passphrase /dev/null'
  shell(t, `puttygen -q -t rsa -b 2048 ${random} -O private -o own.ppk`)
  shell(t, 'puttygen own.ppk -O private-openssh -o traditional.pem')
  const own = await thumbprintOf(t, 'traditional.pem')
  t.equal(await follow(t, 'own.ppk', '-N ""'), own, 'as advised for PuTTY')
})

t.test('a JWK of any program', async (t) => {
  const key = join(process.cwd(), 'test/vectors/rsa-2048.pem')
  const jwk = privateKeyToJwk(fixture(2048).key)
  const { n, e } = jwk
  writeFileSync(at('private.jwk'), JSON.stringify({ ...jwk, use: 'enc' }))
  writeFileSync(at('public.jwk'), JSON.stringify({ kty: 'RSA', n, e, key_ops: ['verify'] }))
  const own = await thumbprintOf(t, key)
  t.equal(await thumbprintOf(t, 'private.jwk'), own)
  t.equal(await thumbprintOf(t, 'public.jwk'), own)
  t.equal(troca(`encrypt --key ${key} --in note --out sealed`).code, 0)
  t.equal(troca('decrypt --key private.jwk --in sealed').stdout, 'Attack at dawn')
  t.match(troca('sign --key private.jwk --in note --out x').stderr, /not to sign, .*"use": "enc"/)
  t.match(troca('encrypt --key public.jwk --in note --out x').stderr, /"key_ops": \["verify"\]/)
  writeFileSync(at('broken.jwk'), '{"kty": "RSA"')
  t.match(await refusalOf(t, 'broken.jwk'), /it is JSON/)
})

t.test('SHAKE in sign and verify', async (t) => {
  const key = join(process.cwd(), 'test/vectors/rsa-2048.pem')
  for (const hash of ['shake128', 'shake256']) {
    t.equal(troca(`sign --key ${key} --in note --out by.sig --hash ${hash}`).code, 0)
    t.equal(troca(`verify --key ${key} --in note --signature by.sig --hash ${hash}`).code, 0)
    t.equal(troca(`verify --key ${key} --in note --signature by.sig`).code, 1)
    const mixed = troca(`sign --key ${key} --in note --out y --hash ${hash} --mgf1-hash sha256`)
    t.match(mixed, { code: 1, stderr: /a SHAKE is its own mask/ })
    t.equal(troca(`encrypt --key ${key} --in note --out y --hash ${hash}`).code, 2)
  }
})
