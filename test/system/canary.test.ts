// No secret leaks: after accounts, messages, a new key, another password, an export, deletions and
// crashes, no password, passphrase, text or private key is in any file of the cluster, in the
// answers of its ports, or in what /proc shows of its processes. Markers and planted secrets show
// that the search would find them.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import type { Client } from '../../clients/index.js'
import { encodePkcs8, privateKeyToJwk, privateKeyToPem } from '../../protocol/rsa/index.js'
import type { RsaPrivateKey } from '../../protocol/rsa/index.js'
import {
  fileAt,
  filesBelow,
  needlesOfKey,
  needlesOfNumber,
  needlesOfText,
  processesOf,
  search,
} from './canary.js'
import type { Needle, Place } from './canary.js'
import { Cluster, PASSWORD } from './cluster.js'
import { WORDS } from './debug-words.js'
import { readMailbox } from './load.js'

t.setTimeout(280_000)

const CLI = fileURLToPath(new URL('../../clients/cli/main.js', import.meta.url))
const unique = (what: string): string => `${what} ${randomBytes(12).toString('base64url')}`

const newPassword = unique('canary password')
const passphrase = unique('canary passphrase')
const texts = Array.from({ length: 20 }, (_, i) => unique(`canary text ${i}`))
const deleted = unique('canary deleted')

async function portsOf(cluster: Cluster): Promise<Place[]> {
  const answers = cluster.replicas.flatMap((replica) =>
    [...WORDS, 'GET /metrics HTTP/1.0\r\n'].map(async (word) => {
      const octets = Buffer.from(await replica.ask(word))
      return { name: `${word} of ${replica.name}`, octets }
    }),
  )
  return Promise.all(answers)
}

/**
 * Exports keys by the command line, and reads its /proc entry while it waits for the passphrase.
 */
async function exportKeys(cluster: Cluster, out: string): Promise<Place[]> {
  const { PATH } = process.env
  const env = { PATH, TROCA_USER: 'marker-alice', TROCA_PASSWORD: PASSWORD }
  const args = [CLI, '--dir', cluster.directory, 'keys', 'export', '--out', out]
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'ignore', 'inherit'] })
  const shown = await cluster.until('the command runs', async () => {
    const name = `/proc/${child.pid}/cmdline`
    if (!existsSync('/proc/self')) return []
    return existsSync(name) && readFileSync(name).includes('export') ? [fileAt(name)] : null
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin.end(`${passphrase}\n`)
  if ((await ended) !== 0) throw new Error('keys export failed')
  return shown
}

async function story(
  t: Test,
  cluster: Cluster,
  out: string,
): Promise<{ shown: Place[]; needles: Needle[] }> {
  const alice: Client = await cluster.register('marker-alice')
  const bob = await cluster.register('marker-bob')
  const first = await bob.exportKeys(PASSWORD)
  await bob.send('marker-alice', texts[0]!)
  await alice.rotateKey(PASSWORD)
  const shown = await exportKeys(cluster, out)
  await Promise.all(texts.slice(1).map((text) => bob.send('marker-alice', text)))
  const { index } = await bob.send('marker-alice', deleted)
  const keys = await alice.exportKeys(PASSWORD)

  const crashed = [await cluster.coordinator(), await cluster.holder()]
  await Promise.all(crashed.map((replica) => replica.kill()))
  await alice.changePassword(PASSWORD, newPassword)
  await alice.delete([index])
  for (const replica of crashed) replica.start()
  await cluster.untilSettled()
  const again = await cluster.logIn('marker-alice', crashed[0], newPassword)
  const read = (await readMailbox(again)).map(({ text }) => text)
  t.same([...read].sort(), [...texts].sort(), 'the story went as it should')

  const needles = [
    ...needlesOfText('the password', PASSWORD),
    ...needlesOfText('the new password', newPassword),
    ...needlesOfText('the passphrase', passphrase),
    ...[...texts, deleted].flatMap((text) => needlesOfText(`"${text}"`, text)),
    ...keys.flatMap((key, i) => needlesOfKey(`key ${i} of alice`, key)),
    ...needlesOfKey('the key of bob', first[0]!),
  ]
  const key = keys[0]!
  t.same(plantedAndMissed(key, needles), [], 'the search finds every form of a secret')
  const markers = needlesOfNumber('the public key of alice', key.n)
  for (const replica of cluster.persistence) {
    const { data } = replica.place
    const files = filesBelow(cluster.directory)
      .filter((name) => name.startsWith(data))
      .map(fileAt)
    t.ok(files.length > 0)
    t.not(
      search(files, markers).length,
      0,
      `the public key is found in the files of ${replica.name}`,
    )
    t.not(
      search(files, needlesOfText('the name', 'marker-alice')).length,
      0,
      'the search finds the name',
    )
  }
  return { shown, needles }
}

/**
 * Plants a secret in a log in every form that it may be written in; returns the forms not found.
 */
function plantedAndMissed(key: RsaPrivateKey, needles: readonly Needle[]): string[] {
  const pkcs8 = Buffer.from(encodePkcs8(key))
  const leaks: Record<string, string | Buffer> = {
    'PKCS#8': pkcs8,
    'PKCS#8 in hex': pkcs8.toString('hex'),
    'PKCS#8 in upper-case hex': pkcs8.toString('hex').toUpperCase(),
    'PKCS#8 in base64': pkcs8.toString('base64'),
    'PKCS#8 in base64url': pkcs8.toString('base64url'),
    'PKCS#8 as JSON': JSON.stringify([...pkcs8]),
    'PKCS#8 as JSON over many lines': JSON.stringify([...pkcs8], null, 2),
    PEM: privateKeyToPem(key),
    'PEM in JSON': JSON.stringify({ pem: privateKeyToPem(key) }),
    JWK: JSON.stringify(privateKeyToJwk(key)),
    'the key as inspected': inspect(key),
    'p in decimal': String(key.p),
    'd in hex': key.d.toString(16),
    'a text': `{"text":"${texts[7]}"}`,
    'a text in hex': Buffer.from(texts[7]!).toString('hex'),
    'a text in base64': Buffer.from(`x${texts[7]}`).toString('base64'),
    'a text in UTF-16': Buffer.from(texts[7]!, 'utf16le'),
    'the password': PASSWORD,
    'the password in base64': Buffer.from(`ab${PASSWORD}`).toString('base64'),
    'the passphrase as bytes': JSON.stringify([...Buffer.from(passphrase)]),
  }
  return Object.entries(leaks).flatMap(([name, leak]) => {
    const octets = Buffer.concat([
      Buffer.from('{"event":"'),
      Buffer.from(leak),
      Buffer.from('"}\n'),
    ])
    return search([{ name, octets }], needles).length > 0 ? [] : [name]
  })
}

t.test('no secret is in files, on ports, or in /proc', async (t) => {
  // The most verbose level.
  process.env['TROCA_LOG_LEVEL'] = 'debug'
  const cluster = await Cluster.start(t)
  const files = join(cluster.directory, 'exported')
  mkdirSync(files)
  const { shown, needles } = await story(t, cluster, join(files, 'keys.pem'))

  const processes = processesOf(cluster.directory)
  const ports = await portsOf(cluster)
  const said = cluster.replicas.map((replica) => {
    return { name: `stderr of ${replica.name}`, octets: Buffer.from(replica.tail()) }
  })
  const left = filesBelow(cluster.directory).map(fileAt)
  const places = [...left, ...shown, ...processes, ...ports, ...said]
  t.same(search(places, needles), [])

  // The same search in the same places must find markers, which are no secrets.
  const logs = left.filter(({ name }) => name.endsWith('.log'))
  t.equal(logs.length, cluster.replicas.length)
  for (const place of logs) {
    t.not(search([place], needlesOfText('a marker', '"replica":"')).length, 0)
    const leaking = { ...place, octets: Buffer.concat([place.octets, Buffer.from(texts[3]!)]) }
    t.equal(search([leaking], needles).length, 1, 'a log with a text in it would be noticed')
  }
  const listening = search(ports, needlesOfText('the state', 'normal'))
  t.ok(listening.length >= cluster.persistence.length, 'the ports have answered')
  if (existsSync('/proc/self')) {
    t.equal(processes.length, 3 * cluster.replicas.length)
    t.equal(search(processes, needlesOfText('the folder', cluster.directory)).length > 0, true)
    t.equal(shown.length, 1)
  }
  const exported = left.filter(({ name }) => name.endsWith('keys.pem'))
  t.match(String(exported[0]?.octets), /BEGIN ENCRYPTED PRIVATE KEY/)
  writeFileSync(join(files, 'planted'), privateKeyToPem((await readKeys(cluster))[0]!))
  t.not(search(filesBelow(files).map(fileAt), needles).length, 0, 'a key in a file is noticed')
  t.match(await cluster.audit(), { agree: true })
})

async function readKeys(cluster: Cluster): Promise<readonly RsaPrivateKey[]> {
  const alice = await cluster.logIn('marker-alice', undefined, newPassword)
  return alice.exportKeys(newPassword)
}
