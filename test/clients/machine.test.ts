// Which machine of the cluster file a folder is: by flag, file, loopback, or address.

import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { Context } from '../../clients/cli/context.js'
import { findHere, namesOf } from '../../clients/cli/machine.js'

/** TEST-NET-2 (RFC 5737): an address of no machine. */
const ELSEWHERE = '198.51.100.1'
const external = Object.values(networkInterfaces())
  .flatMap((all = []) => all)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

interface Place {
  readonly host: string
  readonly machine?: string
  readonly listen?: string
}

function folder(t: Test, ...places: readonly Place[]): Context {
  const dir = t.testdir()
  const tier = (base: number) =>
    places.map((place, i) => {
      return { slot: i + 1, ...place, port: base + i, debugPort: base + 100 + i }
    })
  const replicas = { processing: tier(7401), persistence: tier(7421) }
  writeFileSync(join(dir, 'cluster.yaml'), stringify({ clusterId: 'troca-x', replicas }))
  return new Context({ dir })
}

const own = async (context: Context, flag?: string): Promise<string> =>
  namesOf((await findHere(context, flag)).own)

t.test('the flag wins over the file in the folder, and both over addresses', async (t) => {
  const places = [
    { machine: 'a', host: ELSEWHERE },
    { machine: 'b', host: '127.0.0.1' },
  ]
  const context = folder(t, ...places)
  t.equal(await own(context), 'p2 s2', 'the one on loopback')
  writeFileSync(join(context.dir, 'machine'), 'a\n')
  t.equal(await own(context), 'p1 s1')
  t.equal(await own(context, 'b'), 'p2 s2')
  const wrong = { exitCode: 2, message: /no replica on a machine c; machines: a, b/ }
  await t.rejects(findHere(context, 'c'), wrong)
})

t.test('on loopback all replicas are here, under any of its addresses', async (t) => {
  const context = folder(t, { host: '127.0.0.1' }, { host: '127.0.0.2' }, { host: '[::1]' })
  t.equal(await own(context), 'p1 p2 p3 s1 s2 s3')
})

t.test('a listen tells as well as a host: behind a translation of addresses', async (t) => {
  const context = folder(t, { host: ELSEWHERE }, { host: '198.51.100.2', listen: '127.0.0.1' })
  t.equal(await own(context), 'p2 s2')
})

const skip = external === undefined && 'this host has no address but loopback'

t.test('addresses of the interfaces are of this machine', { skip }, async (t) => {
  t.equal(await own(folder(t, { host: ELSEWHERE }, { host: external! })), 'p2 s2')
})

t.test('a folder of no machine says which there are', async (t) => {
  const context = folder(t, { machine: 'a', host: ELSEWHERE }, { host: 'none.invalid' })
  const which = { exitCode: 2, message: /say which it is: --machine, one of a, none\.invalid/ }
  await t.rejects(findHere(context, undefined), which)
})
