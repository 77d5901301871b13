// The cluster file: an error lists all problems at once.

import t from 'tap'
import { ConfigError, checkConfig, readConfig, shown } from '../../../daemons/provision/config.js'
import { hostPort, isLoopback } from '../../../protocol/host.js'

const replica = (slot: number, port: number) => ({
  slot,
  host: '127.0.0.1',
  port,
  debugPort: port + 1,
})
const sound = {
  clusterId: 'troca-1',
  replicas: { processing: [replica(1, 10)], persistence: [replica(1, 20)] },
}

function problems(value: unknown): readonly string[] {
  try {
    checkConfig(value, '/etc/troca/cluster.yaml')
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('a short file is enough', async (t) => {
  const config = checkConfig(sound, '/etc/troca/cluster.yaml', { TROCA_LOG_LEVEL: 'debug' })
  t.match(config, { tls: true, directory: '/etc/troca', log: { level: 'debug', stdout: true } })
  t.equal(config.replicas.length, 2)
  t.equal(config.suite, 'jwe')
  t.equal(checkConfig({ ...sound, suite: 'rsa' }, 'cluster.yaml').suite, 'rsa')
  t.match(problems({ ...sound, suite: 'none' }), [/suite is "none"; needed: one of jwe, rsa/])
})

t.test('the debug port shows named members only', async (t) => {
  const config = checkConfig(sound, '/etc/troca/cluster.yaml')
  t.same(shown({ ...config }), config, 'all present members are shown')
  const [first, ...others] = config.replicas
  const grown = {
    ...config,
    invitation: 's3cret',
    replicas: [{ ...first!, key: 's3cret' }, ...others],
  }
  t.same(shown(grown), config, 'a new member is not shown by itself')
})

t.test('a retention is off by default, and has units', async (t) => {
  const read = (retention: unknown) =>
    checkConfig({ ...sound, retention }, 'cluster.yaml').retention
  t.same(checkConfig(sound, 'cluster.yaml').retention, { age: 0, count: 0, bytes: 0 })
  t.same(read({ age: '30d', count: 1_000, bytes: '5MB' }), {
    ...{ age: 30 * 86_400_000, count: 1_000, bytes: 5_000_000 },
  })
  t.same(read({ bytes: 4_096 }), { age: 0, count: 0, bytes: 4_096 })
  t.match(problems({ ...sound, retention: { age: 30, count: 0, bytes: '5mb', days: 1 } }), [
    /retention.days is not known/,
    /retention.age is 30; needed: a whole number above 0 with s, m, h or d/,
    /retention.count is 0; needed: a whole number 1/,
    /retention.bytes is "5mb"; needed: .*5MB/,
  ])
})

t.test('debug ports listen on loopback by default', async (t) => {
  t.equal(checkConfig(sound, 'cluster.yaml').debugHost, '127.0.0.1')
  t.equal(checkConfig({ ...sound, debugHost: '10.0.0.1' }, 'cluster.yaml').debugHost, '10.0.0.1')
  t.match(problems({ ...sound, debugHost: 'a host' }), [/debugHost is "a host"; needed: a host/])
  t.same(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', '10.0.0.1'].map(isLoopback), [
    ...[true, true, true],
    ...[false, false, false],
  ])
})

t.test('an error lists all problems, each with what is needed', async (t) => {
  const said = problems({
    clusterId: 'No Spaces',
    tls: 'perhaps',
    colour: 'red',
    replicas: {
      processing: [replica(1, 10), { ...replica(3, 10), port: '10' }],
      persistence: [],
    },
    timings: { heartbeat: 1000, suspect: 1500, patience: 5000, coordinatorPatience: 10, tea: 4 },
    limits: { keyBits: 512, minPasswordLength: 129, streamIdleMs: 5 },
    log: { level: 'loud' },
  })
  const expected = [
    /^clusterId is "No Spaces"; needed: up to 64/,
    /^tls is "perhaps"; needed: one of true, false/,
    /^colour is not known; needed: one of clusterId/,
    /^replicas.processing\[1\].port is "10"; needed: a whole number 1/,
    /^replicas.processing is slots 1, 3; needed: 1 ... 2, each once/,
    /^replicas.persistence is a list of 0; needed/,
    /^timings.tea is not known/,
    /^timings.suspect is 1500; needed: three heartbeats/,
    /^timings.coordinatorPatience is 10; needed: more than/,
    /^limits.keyBits is 512; needed: 2048/,
    /^limits.minPasswordLength is 129; needed: 1 ... 128/,
    /^limits.streamIdleMs is 5; needed: at least 10000/,
    /^log.level is "loud"; needed: one of debug/,
    /processing 3 is 127.0.0.1:11, which processing 1 has too/,
  ]
  for (const one of expected)
    t.ok(
      said.some((problem) => one.test(problem)),
      String(one),
    )
  t.equal(said.length, expected.length, said.join('\n'))
})

t.test('listen, machine and debugHost have defaults, and IPv6 may have brackets', async (t) => {
  const one = (changes: object) => ({
    ...sound,
    replicas: { ...sound.replicas, processing: [{ ...replica(1, 10), ...changes }] },
  })
  const read = (changes: object) => checkConfig(one(changes), 'cluster.yaml').replicas[0]
  t.match(read({}), { listen: '127.0.0.1', machine: '127.0.0.1', debugHost: '127.0.0.1' })
  const own = { machine: 'a', host: 'a.example', listen: '0.0.0.0', debugHost: '10.0.0.9' }
  t.match(read(own), own)
  t.match(read({ host: '[2001:db8::1]' }), { host: '2001:db8::1', listen: '2001:db8::1' })
  t.match(read({ host: '::1', listen: '[::]' }), { host: '::1', listen: '::', machine: '::1' })
  t.match(checkConfig({ ...one({}), debugHost: '[::1]' }, 'f').replicas[0], { debugHost: '::1' })
  t.equal(hostPort('::1', 7401), '[::1]:7401')
  t.equal(hostPort('a.example', 7401), 'a.example:7401')
  for (const host of [
    '10.0.0',
    '1.2.3.400',
    ':1',
    '[::1',
    'a b',
    'a..b',
    'fe80::1%eth0',
    7,
    null,
  ]) {
    t.match(problems(one({ host })), [/host is .*; needed: a host name or address/], String(host))
  }
  t.match(problems(one({ host: '0.0.0.0' })), [/host is 0.0.0.0; needed: the address that others/])
  t.match(problems(one({ machine: 'a b' })), [/machine is "a b"; needed: a name of/])
})

t.test('replicas of different machines may have the same ports, of one machine not', async (t) => {
  const two = (first: object, second: object) => ({
    ...sound,
    replicas: {
      ...sound.replicas,
      processing: [
        { ...replica(1, 10), ...first },
        { ...replica(2, 10), ...second },
      ],
    },
  })
  t.same(problems(two({ host: '10.0.0.1' }, { host: '10.0.0.2' })), [])
  t.match(
    problems(two({ machine: 'a', host: '10.0.0.1' }, { machine: 'a', host: '10.0.0.2' })),
    [/processing 2 is 127.0.0.1:11, which processing 1 has too/],
    'their debug ports are on one loopback',
  )
  const everywhere = { machine: 'a', listen: '0.0.0.0', debugPort: 12 }
  t.match(
    problems(two({ machine: 'a', host: '10.0.0.1' }, { ...everywhere, host: '10.0.0.2' })),
    [/processing 2 is 0.0.0.0:10, which processing 1 has too/],
    'every address is also that one',
  )
})

t.test('plain TCP is allowed on loopback only', async (t) => {
  const processing = [{ ...replica(1, 10), host: '10.0.0.1' }]
  const value = { ...sound, tls: false, replicas: { ...sound.replicas, processing } }
  t.match(problems(value), [/processing 1.host is 10.0.0.1; needed: a loopback address/])
  const open = [{ ...replica(1, 10), listen: '0.0.0.0' }]
  const listening = { ...sound, tls: false, replicas: { ...sound.replicas, processing: open } }
  t.match(problems(listening), [/processing 1.listen is 0.0.0.0; needed: a loopback address/])
})

t.test('missing files, files that are not YAML, and odd values are refused', async (t) => {
  const dir = t.testdir({ 'bad.yaml': 'a: [1' })
  t.throws(() => readConfig(`${dir}/none.yaml`), /cannot be read \(ENOENT\).*troca init/)
  t.throws(() => readConfig(`${dir}/bad.yaml`), /is not YAML/)
  for (const value of [null, 7, 'x', [], {}]) t.ok(problems(value).length > 0)
})
