// Bundles that are none: nothing of them reaches the disk.

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { create } from 'tar'
import t from 'tap'
import type { Test } from 'tap'
import { layOut } from '../../clients/cli/bundle.js'

/** Makes an archive of files with these contents. */
async function archive(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const cwd = join(t.testdirName, 'content')
  mkdirSync(cwd, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
  const file = join(t.testdirName, 'x.tar.gz')
  await create({ gzip: true, file, cwd, portable: true, preservePaths: true }, Object.keys(files))
  return file
}

const trusting = () => Promise.resolve()

t.test('a client bundle is laid out whole', async (t) => {
  t.testdir()
  const file = await archive(t, { 'client.json': '{}', 'ca.pem': '' })
  const dir = join(t.testdirName, 'laid')
  t.same(await layOut(file, dir, trusting), { machine: null, stores: [] })
  t.same(readdirSync(dir).sort(), ['ca.pem', 'client.json'])
  await t.rejects(layOut(file, dir, trusting), /has files in it/)
})

t.test('other content is refused before anything is written', async (t) => {
  const strange = ['../escape', 'certificates/ca.key', 'data/x.db', 'bin/sh', 'logs/p1.log']
  for (const name of strange) {
    await t.test(name, async (t) => {
      t.testdir()
      const file = await archive(t, { 'client.json': '{}', [name]: 'x' })
      await t.rejects(layOut(file, join(t.testdirName, 'laid'), trusting), /no bundle of Troca/)
      t.same(
        readdirSync(t.testdirName).filter((one) => /laid/.test(one)),
        [],
      )
    })
  }
  await t.test('a symbolic link', async (t) => {
    t.testdir({ content: { 'client.json': '{}' } })
    symlinkSync('/etc/passwd', join(t.testdirName, 'content', 'ca.pem'))
    const file = await archive(t, { 'client.json': '{}' })
    await create({ gzip: true, file, cwd: join(t.testdirName, 'content') }, [
      'client.json',
      'ca.pem',
    ])
    await t.rejects(layOut(file, join(t.testdirName, 'laid'), trusting), /it has ca\.pem/)
  })
  await t.test('no archive', async (t) => {
    const dir = t.testdir({ 'x.tar.gz': 'text' })
    await t.rejects(layOut(join(dir, 'x.tar.gz'), join(dir, 'laid'), trusting), /no bundle/)
  })
})

t.test('an authority that is not accepted leaves no folder', async (t) => {
  t.testdir()
  const file = await archive(t, { 'client.json': '{}', 'ca.pem': '' })
  const dir = join(t.testdirName, 'laid')
  const no = () => Promise.reject(new Error('another authority'))
  await t.rejects(layOut(file, dir, no), /another authority/)
  t.notOk(existsSync(dir))
  t.same(readdirSync(t.testdirName).sort(), ['content', 'x.tar.gz'])
})
