// SIGHUP: a running replica takes over what of an edited cluster file can change, names what needs a
// restart, and refuses a file with a problem.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { Cluster } from './cluster.js'

t.setTimeout(120_000)

t.test('an edited cluster file is taken over by SIGHUP', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1 })
  const file = join(cluster.directory, 'cluster.yaml')
  const before = parse(readFileSync(file, 'utf8')) as { limits: object }
  const p1 = cluster.replica('p1')
  const reload = async (event: string): Promise<string> => {
    const told = () => p1.log().filter((line) => line.event === event)
    const count = told().length
    p1.hangUp()
    return cluster.until(`p1 logs ${event}`, () => {
      const lines = told()
      return Promise.resolve(lines.length > count ? (lines.at(-1)!.reason ?? '') : null)
    })
  }
  const alice = await cluster.register('alice')
  await alice.send('alice', 'some bytes in the mailbox')
  const edited = {
    ...before,
    limits: { ...before.limits, mailboxBytes: 1, maxClients: 1 },
    log: { level: 'warn' },
    timings: { heartbeat: 200 },
  }
  writeFileSync(file, stringify(edited))
  t.match(await reload('config-needs-restart'), /as before until then: timings\.heartbeat$/)
  await t.rejects(alice.send('alice', 'x'), { name: 'MAILBOX_FULL' }, 'the quota is the new one')
  t.match(JSON.parse(await p1.ask('conf')), {
    limits: { maxClients: 1 },
    log: { level: 'warn' },
    timings: { heartbeat: 250 },
  })

  writeFileSync(file, stringify({ ...edited, limits: { keyBits: 7 } }))
  t.match(await reload('config-refused'), /keyBits is 7; needed: 2048.*the settings in use stay/s)
  writeFileSync(file, stringify({ ...before, log: { level: 'info' } }))
  t.match(await reload('config-reloaded'), /limits\.mailboxBytes.* log\.level/)
  await alice.send('alice', 'there is room again')
  t.same(p1.unexpectedEnds, [])
})
