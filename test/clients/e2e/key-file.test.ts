import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { KeyFile } from '../../../clients/e2e/key-file.js'
import { KeyFolder } from '../../../clients/e2e/key-store.js'
import { encodePkcs8 } from '../../../protocol/rsa/formats.js'
import { newKey } from '../../protocol/envelope/people.js'

const pair = { sealing: encodePkcs8(newKey()), signing: encodePkcs8(newKey()) }
const open = (text: string, password: string): Promise<KeyFile> =>
  KeyFile.open(text, 'troca-test', 'alice', password)
const refused = { name: 'NO_KEYS', definite: true }

async function made(): Promise<KeyFile> {
  const file = await KeyFile.make('troca-test', 'alice', 'sesame')
  file.pairs = [pair]
  return file
}

t.test('a key file opens with its password only', async (t) => {
  const text = String(await made())
  t.same((await open(text, 'sesame')).pairs, [pair])
  await t.rejects(open(text, 'Sesame'), refused)
  await t.rejects(KeyFile.open(text, 'troca-test', 'bob', 'sesame'), refused)
  await t.rejects(KeyFile.open(text, 'other', 'alice', 'sesame'), refused)
  const inside = Buffer.from((JSON.parse(text) as { keys: string }).keys, 'base64url')
  t.notOk(inside.includes(Buffer.from(pair.signing).toString('base64url').slice(0, 40)))
})

t.test('both passwords open the file during a change, and only the new one after it', async (t) => {
  const file = await made()
  file.slots = await file.slotsFor(['sesame', 'open'])
  for (const password of ['sesame', 'open']) {
    t.same((await open(String(file), password)).pairs, [pair])
  }
  file.slots = await file.slotsFor(['open'])
  await t.rejects(open(String(file), 'sesame'), refused)
  t.ok(await file.opensWith('open'))
  t.notOk(await file.opensWith('sesame'))
})

t.test('composed and decomposed characters make the same password', async (t) => {
  const file = await made()
  file.slots = await file.slotsFor(['Zo\u00eb'])
  t.same((await open(String(file), 'Zoe\u0308')).pairs, [pair])
})

t.test('a file that is changed, cut short or too costly gives one error', async (t) => {
  const text = String(await made())
  type Written = { slots: { salt: string; cost: number[]; fileKey: string }[]; keys: string }
  const changed = (how: (written: Written) => void): string => {
    const written = JSON.parse(text) as Written
    how(written)
    return JSON.stringify(written)
  }
  const other = (x: string): string => `${x.startsWith('A') ? 'B' : 'A'}${x.slice(1)}`
  const bad = [
    '',
    '{}',
    text.slice(0, -100),
    changed((w) => (w.keys = other(w.keys))),
    changed((w) => (w.slots[0]!.salt = other(w.slots[0]!.salt))),
    changed((w) => (w.slots[0]!.fileKey = other(w.slots[0]!.fileKey))),
    changed((w) => (w.slots[0]!.cost = [40, 8, 1])),
    changed((w) => (w.slots = [])),
  ]
  for (const one of bad) await t.rejects(open(one, 'sesame'), refused)
})

t.test('KeyFolder writes files with mode 0600 and replaces them atomically', async (t) => {
  const folder = new KeyFolder(t.testdir())
  t.equal(await folder.readKeys('alice'), null)
  t.equal(await folder.readKnown(), null)
  await folder.changeKeys('alice', () => 'one')
  await folder.changeKeys('alice', (text) => `${text} two`)
  await folder.changeKnown(() => '{}')
  t.equal(readFileSync(folder.pathOf('alice'), 'utf8'), 'one two')
  for (const path of [folder.pathOf('alice'), folder.knownPath]) {
    t.equal(statSync(path).mode & 0o777, 0o600)
  }
  await folder.changeKeys('alice', () => null)
  t.equal(await folder.readKeys('alice'), null)
})

t.test('two processes that change a key file at once lose no key and no password', async (t) => {
  const folder = new KeyFolder(t.testdir())
  await folder.changeKeys('alice', () => null)
  const text = String(await made())
  await folder.changeKeys('alice', () => text)
  const [one, other] = [await open(text, 'sesame'), await open(text, 'sesame')]
  const pairs = [newKey(), newKey()].map((key) => {
    return { sealing: encodePkcs8(key), signing: encodePkcs8(key) }
  })
  const slots = await one.slotsFor(['open'])
  await Promise.all([
    folder.changeKeys('alice', (now) => {
      one.reread(now!)
      one.slots = slots
      one.pairs = [pairs[0]!, ...one.pairs]
      return String(one)
    }),
    folder.changeKeys('alice', (now) => {
      other.reread(now!)
      other.pairs = [pairs[1]!, ...other.pairs]
      return String(other)
    }),
  ])
  const both = await open((await folder.readKeys('alice'))!, 'open')
  t.same(both.pairs, [pairs[1], pairs[0], pair])
})

t.test('a change waits for a running one, but not for that of a dead process', async (t) => {
  const folder = new KeyFolder(t.testdir({ keys: {} }))
  const lock = `${folder.pathOf('alice')}.lock`
  writeFileSync(lock, '')
  let changed = false
  const change = folder.changeKeys('alice', () => ((changed = true), 'one'))
  t.notOk(changed)
  const longAgo = new Date(Date.now() - 60_000)
  utimesSync(lock, longAgo, longAgo)
  await change
  t.equal(await folder.readKeys('alice'), 'one')
  t.notOk(existsSync(lock))
})
