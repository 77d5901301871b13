// Client-held keys on real daemons: the recipient reads the sender's messages through new keys,
// another password and failover. No file, log or answer of a replica has the text or a private key.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Client } from '../../clients/index.js'
import { Cluster, PASSWORD } from './cluster.js'
import { Listener, Load, faultsOf, readMailbox } from './load.js'

t.setTimeout(280_000)

const CANARY = 'the meeting is at the old mill'
const NEW_PASSWORD = 'battery staple'
const BITS = 2048

const textsOf = async (client: Client): Promise<(string | null)[]> =>
  (await readMailbox(client)).map(({ text }) => text)

/** All files below a folder, except those of the clients. */
function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && entry.name !== 'keys') yield* files(path)
  }
}

t.test('two users with two keys each, over a failover, keep their texts secret', async (t) => {
  const cluster = await Cluster.start(t)
  const [alice, bob] = (await Promise.all(
    ['alice', 'bob'].map((name) => cluster.registerHeld(name, BITS)),
  )) as [Client, Client]
  t.match(alice.account, { held: 'client', bits: BITS })
  t.match(await alice.send('bob', CANARY), { endToEnd: true, seq: 1 })
  t.same(await textsOf(bob), [CANARY])

  const first = bob.account!.fingerprint
  const { fingerprint } = await bob.rotateKey(PASSWORD, { bits: BITS })
  t.not(fingerprint, first)
  t.same(
    (await bob.keys('bob')).map((key) => key.fingerprint),
    [fingerprint, first],
  )
  const notices: unknown[] = []
  const again = await cluster.logInHeld('alice')
  again.events.on('keys', (notice) => notices.push(notice))
  await again.send('bob', `${CANARY}, for the second key`)
  t.match(notices, [{ name: 'bob', what: 'rotated', before: first, fingerprint }])

  const load = new Load(alice, 'bob').start()
  const listener = new Listener(bob)
  await load.more(10)
  const coordinator = await cluster.coordinator()
  await coordinator.kill()
  await load.more(20)
  coordinator.start()
  await load.stop()
  await cluster.untilSettled()
  await listener.stop()
  const mailbox = await readMailbox(bob)
  t.same(faultsOf(mailbox, [load]), [])
  t.ok(mailbox.every(({ endToEnd, text }) => endToEnd && text !== null))

  await bob.changePassword(PASSWORD, NEW_PASSWORD)
  await Promise.all(cluster.replicas.map((replica) => replica.kill()))
  for (const replica of cluster.replicas) replica.start()
  await cluster.untilSettled()
  const later = await cluster.logInHeld('bob', NEW_PASSWORD)
  t.equal((await textsOf(later))[0], CANARY, 'the first key still reads')
  await later.delete([mailbox[0]!.index])
  t.equal((await textsOf(later))[0], `${CANARY}, for the second key`)
  t.match(await cluster.audit(), { agree: true })

  const secrets = [CANARY, `${load.name} 1 `, PASSWORD, NEW_PASSWORD]
  const looked = [...files(cluster.directory)]
  const told = looked.flatMap((path) => {
    const content = readFileSync(path)
    return secrets.filter((secret) => content.includes(secret)).map((secret) => [path, secret])
  })
  t.same(told, [])
  t.ok(looked.length >= 12, `${looked.length} files: data and logs of six replicas`)
})

t.test('the command line says who can read a message, and refuses plain text', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1 })
  const bits = ['--bits', `${BITS}`]
  for (const name of ['alice', 'bob']) {
    const made = await cluster.troca(name, ['register', name, '--e2e', ...bits, '--no-save'])
    t.equal(made.code, 0, made.stderr)
  }
  t.equal((await cluster.troca('carol', ['register', 'carol', '--no-save'])).code, 0)
  const sent = await cluster.troca('alice', ['send', 'bob', '--e2e', CANARY])
  t.match(sent, { code: 0, stdout: /\(end to end\)/ }, sent.stderr)
  const inbox = await cluster.troca('bob', ['inbox', '--json'])
  t.match(JSON.parse(inbox.stdout), { from: 'alice', text: CANARY, endToEnd: true })
  const [own, others] = await Promise.all([
    cluster.troca('bob', ['keys', 'fingerprint']),
    cluster.troca('alice', ['keys', 'fingerprint', 'bob']),
  ])
  t.equal(own.stdout, others.stdout)

  const plain = await cluster.troca('carol', ['send', 'bob', CANARY])
  t.match(plain, {
    code: 1,
    stderr: /recipient holds its own keys.*register NAME --e2e.*Nothing was stored/,
  })
  const usual = await cluster.troca('alice', ['send', 'carol', 'olá'])
  t.match(usual, { code: 0, stdout: /\(the service can read it\)/ })
  t.match((await cluster.troca('carol', ['inbox'])).stdout, /alice: olá/)

  const rotated = await cluster.troca('bob', ['keys', 'rotate', ...bits])
  t.equal(rotated.code, 0, rotated.stderr)
  t.match((await cluster.troca('bob', ['keys', 'list'])).stdout, /in use[^]*reads what was sent/)
  const after = await cluster.troca('alice', ['send', 'bob', 'after'])
  t.match(after, { code: 0, stderr: /bob has new keys, and the known ones vouch for them/ })
  t.match((await cluster.troca('bob', ['inbox', '--all'])).stdout, /old mill[^]*after/)

  // A key exported from the key file opens an envelope exported from the mailbox.
  const at = (name: string): string => join(cluster.directory, name)
  writeFileSync(at('phrase'), 'a phrase for the file')
  const phrase = ['--passphrase-file', at('phrase')]
  const exported = await cluster.troca('bob', ['keys', 'export', '--out', at('bob.pem'), ...phrase])
  t.match(exported, { code: 0, stdout: /2/ }, exported.stderr)
  const jwes = await cluster.troca('bob', ['inbox', '--all', '--export', 'jwe'])
  writeFileSync(at('jwes'), jwes.stdout)
  const signers = await cluster.troca('bob', ['keys', 'signing', 'alice', '--out', at('alice.pem')])
  t.equal(signers.code, 0, signers.stderr)
  const open = ['open', '--key', at('bob.pem'), ...phrase, '--in']
  const signer = ['--signer', at('alice.pem')]
  const opened = await cluster.troca('bob', [...open, at('jwes'), ...signer])
  t.match(opened, { code: 0, stdout: `${CANARY}\nafter\n` }, opened.stderr)

  // The same without the signatures, which are the last of six parts, and without the signer's key.
  const stripped = jwes.stdout.split('\n').map((line) => line.split('.').slice(0, 5).join('.'))
  writeFileSync(at('stripped'), stripped.join('\n'))
  const wrong = { code: 1, stdout: '', stderr: /signature is missing or not of a key of --signer/ }
  t.match(await cluster.troca('bob', [...open, at('stripped'), ...signer]), wrong)
  t.match(await cluster.troca('bob', [...open, at('jwes')]), wrong)
})
