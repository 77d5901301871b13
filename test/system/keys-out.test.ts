// Private keys and envelopes leave a real cluster for another program: openssl and jose open them,
// and the cluster imports a key made by openssl.

import { spawnSync } from 'node:child_process'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactDecrypt } from 'jose'
import t from 'tap'
import { pemBlocks, privateKeyFromPem, thumbprint } from '../../protocol/rsa/index.js'
import type { RsaPrivateKey } from '../../protocol/rsa/index.js'
import type { Ended } from '../../clients/cli/programs.js'
import { openJwe } from '../../clients/index.js'
import { Cluster, PASSWORD } from './cluster.js'
import { readMailbox } from './load.js'

t.setTimeout(280_000)

const PASSPHRASE = 'a phrase for the file'
const absent = spawnSync('openssl', ['version']).status !== 0
const skip = absent ? 'there is no openssl program here' : false
const entropy = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

function openssl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

const thumbprints = (keys: readonly RsaPrivateKey[]): string[] => keys.map((key) => thumbprint(key))

t.test('keys and envelopes are exported, and a key is imported', { skip }, async (t) => {
  const cluster = await Cluster.start(t)
  const files = join(cluster.directory, 'files')
  const at = (name: string): string => join(files, name)
  mkdirSync(files)
  writeFileSync(at('phrase'), PASSPHRASE)
  const good = ({ code, stdout, stderr }: Ended): string => {
    t.equal(code, 0, stderr)
    return stdout
  }
  const troca = (...args: string[]): Promise<Ended> => cluster.troca('alice', args)
  const phrase = ['--passphrase-file', at('phrase')]

  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  await bob.send('alice', 'for the first key')
  await alice.rotateKey(PASSWORD)
  await bob.send('alice', 'olá, second \u{1f600}')

  // The library unwraps the private keys of the published keys.
  const own = await alice.exportKeys(PASSWORD)
  const published = (await bob.keys('alice')).map(({ fingerprint }) => fingerprint)
  t.same(thumbprints(own), published)
  await t.rejects(alice.exportKeys('wrong'), { name: 'BAD_CREDENTIALS', definite: true })

  // The file has both keys, and openssl opens each.
  good(await troca('keys', 'export', '--out', at('alice.pem'), ...phrase))
  t.equal(statSync(at('alice.pem')).mode & 0o777, 0o600)
  const blocks = pemBlocks(readFileSync(at('alice.pem'), 'utf8'))
  const opened = blocks.map((block, i) => {
    writeFileSync(at(`${i}.pem`), block)
    return openssl('pkey', '-in', at(`${i}.pem`), '-passin', `file:${at('phrase')}`)
  })
  t.same(thumbprints(opened.map((pem) => privateKeyFromPem(pem, entropy))), published)
  const kept = readFileSync(at('alice.pem'), 'utf8')
  const again = await troca('keys', 'export', '--out', at('alice.pem'), ...phrase)
  t.equal(again.code, 1, 'an existing file is not overwritten')
  t.equal(readFileSync(at('alice.pem'), 'utf8'), kept)
  const one = ['--kid', published[1]!, '--force', '--json']
  const facts = good(await troca('keys', 'export', '--out', at('alice.pem'), ...one, ...phrase))
  t.match(JSON.parse(facts), { name: 'alice', keys: [{ fingerprint: published[1], bits: 2048 }] })
  t.equal(pemBlocks(readFileSync(at('alice.pem'), 'utf8')).length, 1)
  t.equal(statSync(at('alice.pem')).mode & 0o777, 0o600)
  t.match(await troca('keys', 'export', '--kid', 'none', ...phrase), { code: 1, stdout: '' })
  const out = good(await troca('keys', 'export', ...phrase))
  t.equal(pemBlocks(out).length, 2)
  writeFileSync(at('both.pem'), out)

  // jose opens each envelope with the key that it names.
  const jwes = good(await troca('inbox', '--all', '--export', 'jwe'))
    .trimEnd()
    .split('\n')
  const texts: string[] = []
  for (const jwe of jwes) {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, ({ kid }) =>
      createPrivateKey(opened[published.indexOf(kid!)]!),
    )
    texts.push(Buffer.from(plaintext).toString())
    t.match(protectedHeader, { alg: 'RSA-OAEP-256', enc: 'A256GCM', iss: 'bob', aud: 'alice' })
  }
  t.same(texts, ['for the first key', 'olá, second \u{1f600}'])
  t.same(await jwesOf(alice.envelopes()), jwes)
  t.same(
    jwes.map((jwe) => Buffer.from(openJwe(jwe, own, entropy).plaintext).toString()),
    texts,
  )

  // troca open needs the exported file alone, and reports an envelope that does not open.
  writeFileSync(at('all.jwe'), `${jwes.join('\n')}\n`)
  const open = ['open', '--key', at('both.pem'), ...phrase, '--in']
  t.equal(good(await troca(...open, at('all.jwe'))), `${texts.join('\n')}\n`)
  const [header, ...rest] = jwes[0]!.split('.')
  const parts = [header, ...rest.slice(0, 3), 'AAAAAAAAAAAAAAAAAAAAAA']
  writeFileSync(at('bad.jwe'), `${jwes[1]}\n${parts.join('.')}\n`)
  const half = await troca(...open, at('bad.jwe'))
  t.match(half, { code: 1, stdout: texts[1], stderr: /line 2 does not open[^]*1 of 2 opened/ })
  const folder = ['--all', '--export', 'jwe', '--out', at('jwe')]
  t.match(good(await troca('inbox', ...folder)), /^envelopes in .*: 2\n$/)
  t.equal(readdirSync(at('jwe')).length, 2)
  t.equal(
    good(await troca('inbox', '--json')).split('\n').length,
    3,
    'an export does not mark messages as read',
  )

  // Messages are sealed for the imported key from now on; the other keys still read old ones.
  const rsa = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072', '-aes256']
  openssl('genpkey', ...rsa, '-pass', `file:${at('phrase')}`, '-out', at('theirs.pem'))
  const imported = good(await troca('keys', 'import', '--in', at('theirs.pem'), ...phrase))
  t.match(imported, 'alice has a new key of 3072 bits')
  const now = (await bob.keys('alice')).map(({ fingerprint }) => fingerprint)
  t.same(now.slice(1), published)
  await bob.send('alice', 'for the key of openssl')
  t.same(
    (await readMailbox(alice)).map(({ text }) => text),
    [...texts, 'for the key of openssl'],
  )
  const twice = await troca('keys', 'import', '--in', at('theirs.pem'), ...phrase)
  t.match(twice, { code: 1, stderr: /cannot be added \(the account has this key already\)/ })

  // The imported key survives a kill of all replicas.
  await Promise.all(cluster.replicas.map((replica) => replica.kill()))
  for (const replica of cluster.replicas) replica.start()
  await cluster.untilSettled()
  const later = await cluster.logIn('alice')
  t.equal((await readMailbox(later)).at(-1)?.text, 'for the key of openssl')
  t.same(thumbprints(await later.exportKeys(PASSWORD)), now)
  t.match(await cluster.audit(), { agree: true })
})

async function jwesOf(page: Promise<{ messages: readonly { jwe: string }[] }>): Promise<string[]> {
  return (await page).messages.map(({ jwe }) => jwe)
}
