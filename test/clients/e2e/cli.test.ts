// The program troca with client-held accounts, against a scripted server: whether it says who can
// read a message, and that a swapped key stops it.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { run } from '../../../clients/cli/programs.js'
import type { Ended } from '../../../clients/cli/programs.js'
import { Person } from '../../protocol/envelope/people.js'
import { Service, published } from './service.js'

// Generous, because each command is a process of its own, and two commands make keys.
t.setTimeout(240_000)

const CLI = fileURLToPath(new URL('../../../clients/cli/main.js', import.meta.url))

type Troca = (user: string, ...args: string[]) => Promise<Ended>

async function begin(t: Test): Promise<{ service: Service; dir: string; troca: Troca }> {
  const service = new Service()
  await service.start()
  t.teardown(() => service.kill())
  const dir = join(t.testdir(), 'troca')
  mkdirSync(dir, { recursive: true })
  const file = { clusterId: 'troca-test', tls: false, servers: [service.address], needed: 2 }
  writeFileSync(join(dir, 'client.json'), JSON.stringify(file))
  const troca: Troca = (user, ...args) => {
    const env = { TROCA_DIR: dir, TROCA_USER: user, TROCA_PASSWORD: 'pw', TROCA_TIMEOUT: '60' }
    return run(CLI, args, { env: { PATH: process.env['PATH'], LANG: 'C', NO_COLOR: '1', ...env } })
  }
  return { service, dir, troca }
}

t.test('register --e2e, send and inbox always say whether the service can read', async (t) => {
  const { service, dir, troca } = await begin(t)
  const registered = await troca('alice', 'register', 'alice', '--e2e', '--bits', '2048')
  t.equal(registered.code, 0, registered.stderr)
  t.match(registered.stdout, /alice is registered; key of 2048 bits, held here alone, fingerprint/)
  t.match(registered.stderr, /keys\/alice\.json/)
  t.equal(statSync(join(dir, 'keys/alice.json')).mode & 0o777, 0o600)
  t.match((await troca('alice', 'whoami')).stdout, /alice \(2048 bits, held here alone, /)
  t.match(JSON.parse((await troca('alice', 'whoami', '--json')).stdout), { held: 'client' })

  const bob = new Person('bob')
  service.accounts.set('bob', { password: 'pw', keys: bob.published.map(published) })
  const sent = await troca('alice', 'send', 'bob', 'um segredo')
  t.match(sent, { code: 0, stdout: /stored at \d+ \(end to end\)/ }, sent.stderr)
  t.match(sent.stderr, new RegExp(`bob seen for the first time: ${bob.fingerprint}`))
  t.equal(statSync(join(dir, 'known-keys.json')).mode & 0o777, 0o600)
  t.notMatch(readFileSync(join(dir, 'keys/alice.json'), 'utf8'), bob.fingerprint)

  service.addPlain('carol', 'key of carol')
  t.match((await troca('alice', 'send', 'carol', 'olá')).stdout, /\(the service can read it\)/)
  const insisted = await troca('alice', 'send', 'carol', '--e2e', 'olá')
  t.match(insisted, { code: 1, stderr: /carol and can read what it gets.*Nothing was stored/ })

  await troca('alice', 'send', 'alice', 'a note')
  const inbox = await troca('alice', 'inbox')
  t.match(inbox.stderr, /mailbox of alice: end to end; only you can read it/)
  t.match(inbox.stdout, /alice: a note/)
  // The service shows the same message a second time, at another place.
  service.stored.push({ ...service.stored.at(-1)!, index: 99 })
  const [last] = (await troca('alice', 'inbox', '--all', '--json')).stdout
    .trim()
    .split('\n')
    .slice(-1)
  t.match(JSON.parse(last!), { endToEnd: true, text: null })
})

t.test('a swapped key is refused with a warning until it is trusted', async (t) => {
  const { service, troca } = await begin(t)
  const [bob, mallory] = [new Person('bob'), new Person('bob')]
  await troca('alice', 'register', 'alice', '--e2e', '--bits', '2048')
  service.accounts.set('bob', { password: 'pw', keys: bob.published.map(published) })
  t.equal((await troca('alice', 'send', 'bob', 'one')).code, 0)

  service.lies.set('bob', mallory.published.map(published))
  const refused = await troca('alice', 'send', 'bob', 'two')
  t.match(refused, { code: 1, stdout: '', stderr: /WARNING: THE KEYS OF bob HAVE CHANGED/ })
  t.match(refused.stderr, new RegExp(`known: ${bob.fingerprint}[^]*now: +${mallory.fingerprint}`))
  t.match(refused.stderr, /Nothing was stored.*troca keys trust/)
  t.equal(service.stored.length, 1)
  const shown = await troca('alice', 'keys', 'fingerprint', 'bob')
  t.match(shown, { code: 0, stdout: `${mallory.fingerprint}\n`, stderr: /WARNING/ })

  const trust = (fingerprint: string): Promise<Ended> =>
    troca('alice', 'keys', 'trust', 'bob', '--fingerprint', fingerprint)
  t.equal((await trust(bob.fingerprint)).code, 1, 'another than was compared')
  t.match(await trust(mallory.fingerprint), { code: 0, stdout: /are trusted/ })
  t.equal((await troca('alice', 'send', 'bob', 'three')).code, 0)
})

t.test('wrong usage ends with 2, and a log-in without the key file with 4', async (t) => {
  const { service, troca } = await begin(t)
  const alice = new Person('alice')
  service.accounts.set('alice', { password: 'pw', keys: alice.published.map(published) })
  t.equal((await troca('bob', 'register', 'bob', '--bits', '2048')).code, 2)
  const login = await troca('alice', 'login', 'alice')
  t.match(login, { code: 4, stderr: /key file is not here.*copy/ })
})
