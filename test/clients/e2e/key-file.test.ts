import { readFileSync, statSync } from 'node:fs'
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

t.test('it opens with its password, and with no other', async (t) => {
  const text = String(await made())
  t.same((await open(text, 'sesame')).pairs, [pair])
  await t.rejects(open(text, 'Sesame'), refused)
  await t.rejects(KeyFile.open(text, 'troca-test', 'bob', 'sesame'), refused)
  await t.rejects(KeyFile.open(text, 'other', 'alice', 'sesame'), refused)
  const inside = Buffer.from((JSON.parse(text) as { keys: string }).keys, 'base64url')
  t.notOk(inside.includes(Buffer.from(pair.signing).toString('base64url').slice(0, 40)))
})

t.test('another password; both, while it is not known which counts', async (t) => {
  const file = await made()
  await file.onlyFor(['sesame', 'open'])
  for (const password of ['sesame', 'open']) {
    t.same((await open(String(file), password)).pairs, [pair])
  }
  await file.onlyFor(['open'])
  await t.rejects(open(String(file), 'sesame'), refused)
  t.ok(await file.opensWith('open'))
  t.notOk(await file.opensWith('sesame'))
})

t.test('a file that was changed, cut short, or asks for endless work: one error', async (t) => {
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

t.test('in a folder: for its owner alone, replaced as a whole', async (t) => {
  const folder = new KeyFolder(t.testdir())
  t.equal(await folder.readKeys('alice'), null)
  t.equal(await folder.readKnown(), null)
  await folder.writeKeys('alice', 'one')
  await folder.writeKeys('alice', 'two')
  await folder.writeKnown('{}')
  t.equal(readFileSync(folder.pathOf('alice'), 'utf8'), 'two')
  for (const path of [folder.pathOf('alice'), folder.knownPath]) {
    t.equal(statSync(path).mode & 0o777, 0o600)
  }
  await folder.writeKeys('alice', null)
  t.equal(await folder.readKeys('alice'), null)
})
