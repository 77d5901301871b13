// A cluster of three machines, which are three folders with an address each: 127.0.0.2 to 127.0.0.4.
// Each folder comes from a bundle, and holds the files of its own replicas alone.

import { X509Certificate } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { freeBasePort } from '../../clients/cli/free-ports.js'
import { run } from '../../clients/cli/programs.js'
import type { Ended } from '../../clients/cli/programs.js'

t.setTimeout(580_000)

const CLI = fileURLToPath(new URL('../../clients/cli/main.js', import.meta.url))
const MACHINES = { a: '127.0.0.2', b: '127.0.0.3', c: '127.0.0.4' }
const FORBIDDEN = /ca\.key|\/p1\.key/

class World {
  readonly #root: string

  /** Not a testdir: the folders go only after what runs in them has ended. */
  constructor(t: Test) {
    this.#root = mkdtempSync(join(tmpdir(), 'troca-machines-'))
    t.teardown(async () => {
      const folders = readdirSync(this.#root).filter((name) =>
        existsSync(join(this.folder(name), 'cluster.yaml')),
      )
      await Promise.all(folders.map((name) => this.troca(name, ['down'])))
      rmSync(this.#root, { recursive: true, force: true })
    })
  }

  folder(name: string): string {
    return join(this.#root, name)
  }

  /** The command line in a folder; `others` are further variables. */
  troca(name: string, args: string[], others: Record<string, string> = {}): Promise<Ended> {
    const { PATH, HOME } = process.env
    const own = { TROCA_DIR: this.folder(name), TROCA_PASSWORD: 'correct horse', LANG: 'C' }
    return run(CLI, args, { env: { PATH, HOME, NO_COLOR: '1', ...own, ...others } })
  }

  /** Runs a command that must succeed; returns what it said, on both streams. */
  async does(name: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.troca(name, args)
    if (code !== 0)
      throw new Error(`troca ${args.join(' ')} in ${name}: ${code}\n${stderr}${stdout}`)
    return stdout + stderr
  }
}

function filesOf(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
  return all.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

interface Finding {
  readonly check: string
  readonly subject: string
  readonly verdict: string
  readonly text: string
}

async function doctor(world: World, name: string): Promise<Finding[]> {
  const { stdout } = await world.troca(name, ['doctor', '--json'])
  return (JSON.parse(stdout) as { findings: Finding[] }).findings
}

async function threeMachines(t: Test): Promise<World> {
  const world = new World(t)
  const places = Object.entries(MACHINES).map(([name, host]) => `${name}=${host}`)
  const ports = ['--base-port', String(await freeBasePort()), '--key-bits', '2048']
  await world.does('admin', 'init', '--machines', places.join(','), ...ports)
  for (const name of Object.keys(MACHINES)) {
    const file = world.folder(`${name}.tar.gz`)
    await world.does('admin', 'bundle', name, '--out', file)
    t.match(await world.does(name, 'join', file), /this is taken for the first start of s\d/)
  }
  return world
}

t.test('three machines, each from its bundle', async (t) => {
  const world = await threeMachines(t)
  const keys = filesOf(world.folder('b')).filter((name) => name.endsWith('.key'))
  t.match(keys.sort(), [/p2\.key$/, /s2\.key$/])
  t.equal(keys.length, 2, 'no key but those of b')
  t.notMatch(filesOf(world.folder('b')).join('\n'), FORBIDDEN)

  await t.test('each starts its own replicas, and says what is missing', async (t) => {
    const first = await world.does('a', 'up')
    t.match(first, /machine a: p1 s1; on other machines: p2 p3 s2 s3/)
    t.match(first, /The cluster does not serve yet: start the other machines\. 1 of 3/)
    t.match(await world.does('b', 'up'), /ready: coordinator p\d, 6 replicas\. 2 of 3.*missing: s3/)
    t.match(await world.does('c', 'up'), /ready: coordinator p\d, 6 replicas/)
  })

  await t.test('a client joins by an address and the fingerprint', async (t) => {
    const { fingerprint, addresses } = readCluster(world.folder('admin'))
    const wrong = await world.troca('x', ['join', addresses[0]!, '--fingerprint', 'AB:CD'])
    t.match(wrong, { code: 4, stderr: /not the given one/ })
    const unasked = await world.troca('x', ['join', addresses[0]!])
    t.match(unasked, { code: 4, stderr: /SHA-256.*Without a terminal give --fingerprint/s })
    t.notOk(existsSync(world.folder('x')), 'nothing was written')
    const few = await world.does('few', 'join', addresses[0]!, '--fingerprint', fingerprint)
    t.match(few, /1 of 3 processing replicas are known here/)
    const bare = fingerprint.toLowerCase().replaceAll(':', '')
    const joined = await world.does('client', 'join', ...addresses, '--fingerprint', bare)
    t.match(joined, /a client of cluster troca-/)
    t.same(readdirSync(world.folder('client')).sort(), ['ca.pem', 'client.json'])
    const again = await world.troca('client', ['join', ...addresses])
    t.match(again, { code: 1, stderr: /has files in it/ })
    await world.does('client', 'register', 'alice')
    t.match(await world.does('client', 'send', 'alice', 'one'), /stored at/)
  })

  await t.test('status and doctor see the others over TLS alone', async (t) => {
    t.match(await world.does('b', 'status'), /│ p1 +│ a +│ processing/)
    const findings = await doctor(world, 'b')
    const wrong = findings.filter(({ verdict }) => verdict !== 'ok')
    t.same(wrong, [], 'nothing fails because of debug ports elsewhere')
    const of = (check: string, subject: string) =>
      findings.find((one) => one.check === check && one.subject === subject)
    t.match(of('ready', 's2'), { text: 'serves' }, 'its own, by the debug port')
    t.match(of('ready', 'p3'), { text: 'serves' }, 'by its STATUS')
    t.match(of('ready', 's3'), { text: /linked with p1 p2 p3: normal/ })
    t.equal(of('clock', 's3'), undefined)
    t.match(of('elsewhere', 'p1 p3 s1 s3'), { text: /were not seen: troca doctor on a c/ })
    t.equal(findings.filter(({ check }) => check === 'certificate').length, 2)
  })

  await t.test('verify never judges by copies of the files of others', async (t) => {
    const copy = join(world.folder('b'), 'data', 's3.db')
    copyFileSync(join(world.folder('b'), 'data', 's2.db'), copy)
    const told = await world.does('b', 'verify')
    t.match(told, /s2 .* sound/)
    t.notMatch(told, /^s3 /m)
    t.notMatch(told, /all files agree/)
    t.match(told, /not seen: s1 s3/)
    rmSync(copy)
    const at = /--at (\d+)/.exec(told)![1]!
    const chain = (text: string) => /chain at \d+: (\S+)/.exec(text)![1]
    t.equal(chain(await world.does('c', 'verify', '--at', at)), chain(told), 'compared by eye')
  })

  await t.test('a machine that loses its folder comes back at its address', async (t) => {
    t.match(await world.does('c', 'down'), /stopped p3 s3 of c.*Not stopped from here: p1 p2 s1 s2/)
    rmSync(world.folder('c'), { recursive: true })
    t.match(await world.does('client', 'send', 'alice', 'two'), /stored at/, 'a and b serve')
    const ill = await doctor(world, 'a')
    const failed = ill.filter(({ verdict }) => verdict === 'fail').map(({ subject }) => subject)
    t.same([...new Set(failed)].sort(), ['p3', 's3'])

    // The old bundle has the empty store of the first start; the cluster has run since.
    t.match(
      await world.does('c', 'join', world.folder('c.tar.gz')),
      /the cluster has run already: s3/,
    )
    t.notOk(existsSync(join(world.folder('c'), 'data', 's3.db')))
    rmSync(world.folder('c'), { recursive: true })
    const file = world.folder('c2.tar.gz')
    t.match(await world.does('admin', 'bundle', 'c', '--out', file), /no empty store for s3/)
    await world.does('c', 'join', file)
    t.match(await world.does('c', 'up'), /ready: coordinator p\d, 6 replicas/)
    t.match(await world.does('client', 'send', 'alice', 'three'), /stored at/)
    const inbox = await world.does('client', 'inbox', '--all')
    t.match(inbox, /one.*two.*three/s)
    t.match(await world.does('c', 'verify'), /s3 .* sound/)
  })

  await t.test('client.json follows an edited cluster.yaml', async (t) => {
    const file = join(world.folder('a'), 'cluster.yaml')
    const text = readFileSync(file, 'utf8')
    const names = () => readFileSync(join(world.folder('a'), 'client.json'), 'utf8')
    writeFileSync(file, text.replace(/127\.0\.0\.2/g, 'localhost'))
    t.match(
      (await doctor(world, 'a')).find(({ check }) => check === 'client-file'),
      { verdict: 'warn' },
    )
    await world.does('a', 'up')
    t.match(names(), /"host": "localhost"/)
    writeFileSync(file, text)
    await world.does('a', 'up')
    t.match(names(), /"host": "127\.0\.0\.2"/)
  })
})

function readCluster(folder: string): { fingerprint: string; addresses: string[] } {
  const { servers } = JSON.parse(readFileSync(join(folder, 'client.json'), 'utf8')) as {
    servers: { host: string; port: number }[]
  }
  const addresses = servers.map(({ host, port }) => `${host}:${port}`)
  const fingerprint = new X509Certificate(readFileSync(join(folder, 'ca.pem'))).fingerprint256
  return { fingerprint, addresses }
}

t.test('machines of one tier each, one of them alone', async (t) => {
  const world = new World(t)
  const ports = ['--base-port', String(await freeBasePort()), '--key-bits', '2048']
  const hosts = ['--host', 'p1=127.0.0.2', '--host', 's1=127.0.0.3']
  const shape = ['--processing', '1', '--persistence', '1']
  await world.does('admin', 'init', ...shape, ...hosts, ...ports)
  for (const [name, machine] of [
    ['p', '127.0.0.2'],
    ['s', '127.0.0.3'],
  ] as const) {
    const file = world.folder(`${name}.tar.gz`)
    await world.does('admin', 'bundle', machine, '--out', file)
    await world.does(name, 'join', file)
  }
  t.match(
    await world.does('s', 'up'),
    /the replicas of 127\.0\.0\.3 run: s1\. The cluster does not/,
  )
  t.match(await world.troca('s', ['status', '--timeout', '4']), {
    code: 3,
    stderr: /no processing replica answers\. Replicas of this machine: s1 (ready|not a member)/,
  })
  const findings = await doctor(world, 's')
  t.match(
    findings.find(({ check, subject }) => check === 'ready' && subject === 'p1'),
    { verdict: 'warn', text: /not seen: no processing replica can be asked/ },
  )
  t.match(await world.troca('p', ['verify']), { code: 1, stderr: /not seen: s1/ })
  t.match(await world.does('p', 'up'), /ready: coordinator p1, 2 replicas/)
  t.match(await world.troca('admin', ['up', '--machine', 'x']), {
    code: 2,
    stderr: /no replica on a machine x; machines: 127\.0\.0\.2, 127\.0\.0\.3/,
  })
})

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

t.test('a cluster on ::1', { skip: hasIPv6 ? false : 'this host has no ::1' }, async (t) => {
  const world = new World(t)
  const shape = ['--processing', '1', '--persistence', '1', '--key-bits', '2048']
  const ports = ['--base-port', String(await freeBasePort('::1'))]
  await world.does('six', 'init', '--host', '[::1]', ...shape, ...ports)
  t.match(await world.does('six', 'up'), /ready: coordinator p1, 2 replicas/)
  const { fingerprint, addresses } = readCluster(world.folder('six'))
  const [host] = addresses[0]!.split(/:(?=\d+$)/)
  t.equal(host, '::1')
  const bracketed = addresses[0]!.replace(/^(.*):(\d+)$/, '[$1]:$2')
  await world.does('client', 'join', bracketed, '--fingerprint', fingerprint)
  await world.does('client', 'register', 'alice')
  t.match(await world.does('client', 'send', 'alice', 'olá'), /stored at/)
})
