// The debug ports of live replicas: the words that `help` lists, and the figures that `troca bench`
// makes of the metrics.

import t from 'tap'
import { Cluster } from './cluster.js'
import { WORDS } from './debug-words.js'

t.setTimeout(180_000)

const cluster = await Cluster.start(t)

t.test('help lists every word of the debug port, on both tiers', async (t) => {
  for (const replica of [cluster.processing[0]!, cluster.persistence[0]!]) {
    const help = await replica.ask('help')
    const listed = [...help.matchAll(/^([a-z]{3,}) {2,}/gm)].map(([, word]) => word)
    t.same(listed, WORDS.filter((word) => word !== 'clok').sort(), replica.name)
  }
})

interface Daemon {
  replica: string
  cpuSecondsPer1000: number
  counts: Record<string, number | null> & { links: Record<string, Record<string, number>> }
}

t.test('bench reports what a message costs each daemon', async (t) => {
  const load = ['--seconds', '1', '--warm-up', '0.2', '--in-flight', '1,16', '--consume']
  const args = ['bench', ...load, '--recipients', '2', '--report']
  const { code, stdout, stderr } = await cluster.troca('nobody', [...args, '--json'])
  t.equal(code, 0, stderr)
  const { phases } = JSON.parse(stdout) as {
    phases: { sent: { count: number }; pushed: { count: number }; cpuSecondsPer1000: number }[]
  }
  t.match(phases, [{ inFlight: 1 }, { inFlight: 16 }])
  for (const phase of phases as ((typeof phases)[number] & { daemons: Daemon[] })[]) {
    const { sent, pushed, daemons, cpuSecondsPer1000 } = phase
    t.ok(sent.count > 0)
    t.equal(pushed.count, sent.count, 'every send was pushed')
    t.same(
      daemons.map(({ replica }) => replica),
      ['p1', 'p2', 'p3', 's1', 's2', 's3'],
    )
    const positive = (value: unknown, what: string) =>
      t.ok(Number.isInteger(value) && Number(value) > 0, `${what}: ${value}`)
    for (const { replica, counts } of daemons) {
      for (const figure of ['wakeUps', 'contextSwitches']) {
        positive(counts[figure], `${replica} ${figure}`)
      }
      if (replica.startsWith('p')) t.equal(counts['transactions'], null)
      else positive(counts['transactions'], `${replica} transactions`)
      for (const [figure, value] of Object.entries(counts.links['persistence']!)) {
        positive(value, `${replica} ${figure}`)
      }
    }
    const received = daemons.map(({ counts }) => counts.links['client']!['framesIn']!)
    t.ok(Math.max(...received) >= sent.count, 'the coordinator has got a frame for each send')
    const sum = daemons.reduce((all, one) => all + one.cpuSecondsPer1000, 0)
    t.ok(Math.abs(sum - cpuSecondsPer1000) < 1e-4, 'CPU in all is the sum')
  }
})

t.test('bench says which daemon it cannot ask', async (t) => {
  await cluster.replica('s3').stop()
  const args = ['bench', '--seconds', '0.5', '--warm-up', '0', '--report']
  const { code, stdout, stderr } = await cluster.troca('nobody', args)
  t.equal(code, 0, stderr)
  t.match(stdout, /^s3: it cannot be asked: .+$/m)
  t.match(stdout, /│ in all │ - /, 'and makes no figure up')
})
