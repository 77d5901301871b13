// The program troca rsa, in both directions against the program openssl, and its refusals.

import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// Generous, because each command is a process of its own.
t.setTimeout(240_000)

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '../../clients/cli/main.js')
const VECTORS = join(process.cwd(), 'test/vectors')
const absent = spawnSync('openssl', ['version']).status !== 0
const skip = absent ? 'there is no openssl program here' : false

const dir = t.testdir({ message: 'Attack at dawn' })
const path = (name: string): string => join(dir, name)
const privateKey = join(VECTORS, 'rsa-2048.pem')

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

function run(
  program: string,
  args: readonly string[],
  input: Uint8Array | string = '',
  passphrase: Record<string, string> = {},
): Ended {
  const { PATH } = process.env
  const env = { PATH, LANG: 'C', TROCA_DIR: path('none'), ...passphrase }
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir, env, input })
  return { code: status, stdout, stderr: stderr.toString() }
}

function troca(
  args: string,
  input: Uint8Array | string = '',
  passphrase: Record<string, string> = {},
): Ended {
  return run(process.execPath, [MAIN, 'rsa', ...args.split(' ')], input, passphrase)
}

/** Runs a program that must succeed; gives its stdout. */
function openssl(args: string, input: Uint8Array | string = ''): Buffer {
  const { code, stdout, stderr } = run('openssl', args.split(' '), input)
  t.equal(code, 0, `openssl ${args} ${stderr}`)
  return stdout
}

function good({ code, stdout, stderr }: Ended): Buffer {
  t.equal(code, 0, stderr)
  return stdout
}

t.test('gen writes a key with mode 0600, and never over a file', (t) => {
  const { bits, thumbprint, out } = JSON.parse(
    good(troca('gen --bits 2048 --out made.pem --json')).toString(),
  ) as { bits: number; thumbprint: string; out: string }
  t.equal(bits, 2048)
  t.equal(out, 'made.pem')
  t.equal(statSync(path('made.pem')).mode & 0o777, 0o600)
  const before = readFileSync(path('made.pem'), 'utf8')
  const again = troca('gen --bits 2048 --out made.pem')
  t.equal(again.code, 1)
  t.match(again.stderr, /made.pem exists; a private key is not written over a file/)
  t.equal(readFileSync(path('made.pem'), 'utf8'), before)

  good(troca('public --key made.pem --out made.pub'))
  const shown = JSON.parse(good(troca('inspect --key made.pub --json')).toString()) as object
  t.match(shown, { kind: 'public', bits: 2048, exponent: '65537', thumbprint })
  t.match(good(troca('inspect --key made.pem')).toString(), thumbprint)
  t.end()
})

t.test('troca and openssl read the keys of each other', { skip }, (t) => {
  openssl('pkey -in made.pem -check -noout')
  t.equal(openssl('pkey -in made.pem -pubout').toString(), readFileSync(path('made.pub'), 'utf8'))
  openssl('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pkcs8.pem')
  openssl('rsa -in pkcs8.pem -traditional -out pkcs1.pem')
  openssl('rsa -in pkcs8.pem -pubout -out spki.pem')
  openssl('rsa -in pkcs8.pem -RSAPublicKey_out -out pkcs1.pub')
  const names = ['pkcs8.pem', 'pkcs1.pem', 'spki.pem', 'pkcs1.pub']
  const read = names.map((name) => good(troca(`public --key ${name}`)).toString())
  t.same(new Set(read), new Set([readFileSync(path('spki.pem'), 'utf8')]))
  t.end()
})

t.test('troca and openssl decrypt the OAEP of each other', { skip }, (t) => {
  const cases = [
    { ours: '', theirs: 'rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256' },
    {
      ours: ' --hash sha512 --mgf1-hash sha1 --label key',
      theirs: 'rsa_oaep_md:sha512 -pkeyopt rsa_mgf1_md:sha1 -pkeyopt rsa_oaep_label:6b6579',
    },
    { ours: ' --hash sha512-256', theirs: 'rsa_oaep_md:sha512-256' },
  ]
  for (const { ours, theirs } of cases) {
    const options = `-inkey ${privateKey} -pkeyopt rsa_padding_mode:oaep -pkeyopt ${theirs}`
    good(troca(`encrypt --key ${privateKey} --in message --out ours${ours}`))
    const opened = openssl(`pkeyutl -decrypt -in ours ${options}`)
    t.equal(opened.toString(), 'Attack at dawn', `to it${ours}`)
    const sealed = openssl(`pkeyutl -encrypt -in message ${options}`)
    const back = good(troca(`decrypt --key ${privateKey}${ours}`, sealed))
    t.equal(back.toString(), 'Attack at dawn', `from it${ours}`)
  }
  t.end()
})

t.test('troca and openssl verify the PSS of each other', { skip }, (t) => {
  openssl(`pkey -in ${privateKey} -pubout -out public.pem`)
  const cases = [
    { ours: '', hash: 'sha256', theirs: 'rsa_pss_saltlen:32' },
    { ours: ' --salt-length max --hash sha384', hash: 'sha384', theirs: 'rsa_pss_saltlen:max' },
    {
      ours: ' --salt-length 0 --mgf1-hash sha1',
      hash: 'sha256',
      theirs: 'rsa_pss_saltlen:0 -pkeyopt rsa_mgf1_md:sha1',
    },
  ]
  for (const { ours, hash, theirs } of cases) {
    const options = `-rawin -in message -digest ${hash} -pkeyopt rsa_padding_mode:pss -pkeyopt ${theirs}`
    good(troca(`sign --key ${privateKey} --in message --out ours.sig${ours}`))
    openssl(`pkeyutl -verify -pubin -inkey public.pem -sigfile ours.sig ${options}`)
    openssl(`pkeyutl -sign -inkey ${privateKey} -out theirs.sig ${options}`)
    const verify = `verify --key public.pem --signature theirs.sig${ours}`
    t.match(good(troca(verify, 'Attack at dawn')).toString(), 'the signature is valid')
    const other = troca(`${verify} --json`, 'Attack at noon')
    t.equal(other.code, 1)
    t.match(JSON.parse(other.stdout.toString()), { ok: false, valid: false })
  }
  t.end()
})

t.test(
  'encrypted keys open in both directions, and the passphrase is no argument',
  { skip },
  (t) => {
    writeFileSync(path('passphrase'), 'open sesame\nsecond line')
    good(troca('gen --bits 2048 --passphrase-file passphrase --out sealed.pem'))
    t.match(readFileSync(path('sealed.pem'), 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    t.equal(statSync(path('sealed.pem')).mode & 0o777, 0o600)
    openssl('pkey -in sealed.pem -passin file:passphrase -check -noout')
    openssl(`pkey -in ${privateKey} -aes256 -passout file:passphrase -out theirs.pem`)

    const message = 'Attack at dawn'
    for (const name of ['sealed.pem', 'theirs.pem']) {
      const byFile = `--key ${name} --passphrase-file passphrase`
      const byEnvironment = { TROCA_PASSPHRASE: 'open sesame' }
      const sealed = good(troca(`encrypt ${byFile}`, message))
      const opened = good(troca(`decrypt --key ${name}`, sealed, byEnvironment))
      t.equal(opened.toString(), message)
      const signature = good(troca(`sign --key ${name}`, message, byEnvironment))
      writeFileSync(path('by.sig'), signature)
      good(troca(`verify ${byFile} --signature by.sig`, message))

      const missing = troca(`decrypt --key ${name}`, sealed)
      t.equal(missing.code, 2)
      t.match(missing.stderr, /no passphrase: give it by prompt, --passphrase-file or TROCA_PASS/)
      const wrong = troca(`inspect --key ${name}`, '', { TROCA_PASSPHRASE: 'open sesam' })
      t.equal(wrong.code, 1)
      t.match(wrong.stderr, /it does not open: the passphrase is wrong, or/)
    }
    const asked = good(troca('gen --bits 2048 --passphrase --json', 'from stdin\n')).toString()
    const { pem } = JSON.parse(asked) as { pem: string }
    writeFileSync(path('asked.pem'), pem)
    openssl('pkey -in asked.pem -passin stdin -noout', 'from stdin\n')
    t.end()
  },
)

t.test('a rejected key is reported with what to do', { skip }, (t) => {
  openssl(`rsa -in ${privateKey} -traditional -aes256 -passout pass:secret -out old.pem`)
  openssl('genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem')
  openssl('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out short.pem')
  const refusals: readonly [string, RegExp][] = [
    ['old.pem', /its encryption is of an old form; openssl pkey -in KEY -aes256 -out NEW/],
    ['ec.pem', /the algorithm is not rsaEncryption/],
    ['short.pem', /the modulus has 1024 bits; at least 2048 are needed/],
    ['message', /not PEM of an RSA key/],
    ['nowhere.pem', /cannot read nowhere.pem: no such file/],
  ]
  for (const [name, reason] of refusals) {
    const { code, stderr } = troca(`inspect --key ${name}`)
    t.equal(code, 1, name)
    t.match(stderr, reason)
  }
  t.match(troca('decrypt --key made.pub').stderr, /"PUBLIC KEY" is not a private RSA key/)
  t.end()
})

t.test('messages that are too long, do not open or are not understood are refused', (t) => {
  const long = troca(`encrypt --key ${privateKey}`, Buffer.alloc(191))
  t.equal(long.code, 1)
  t.match(long.stderr, /191 bytes; a key of 2048 bits encrypts at most 190 with sha256/)
  const sealed = good(troca(`encrypt --key ${privateKey} --json`, 'x')).toString()
  const { base64, bytes } = JSON.parse(sealed) as { base64: string; bytes: number }
  t.equal(bytes, 256)
  writeFileSync(path('sealed'), Buffer.from(base64, 'base64'))
  const decrypt = `decrypt --key ${privateKey} --in`
  t.equal(good(troca(`${decrypt} sealed`)).toString(), 'x')
  const failures = [
    `${decrypt} message`,
    `${decrypt} sealed --label y`,
    `${decrypt} sealed --hash sha1`,
  ]
  const answers = failures.map((args) => troca(args))
  t.match(answers[0]?.stderr, /decryption error/)
  for (const { code, stdout, stderr } of answers) {
    t.equal(code, 1)
    t.equal(stdout.length, 0)
    t.equal(stderr, answers[0]?.stderr, 'every failure says the same')
  }
  const usage = [
    'gen --bits 1024',
    'gen --bits many',
    `encrypt --key ${privateKey} --hash md5`,
    `sign --key ${privateKey} --salt-length 223`,
    `sign --key ${privateKey} --salt-length constructor`,
    `verify --key ${privateKey}`,
    'inspect',
    'break',
    'gen --bits 2048 --passphrase',
    'gen --bits 2048 --passphrase open-sesame',
  ]
  for (const args of usage) t.equal(troca(args).code, 2, args)
  t.end()
})
