// Persistence serves with a majority. With fewer replicas, a send names those missing and the
// number needed; once one is back, the same command succeeds without any other step.

import t from 'tap'
import { Cluster } from './cluster.js'
import { readMailbox } from './load.js'
import { verifyReplicas } from './verify.js'

t.setTimeout(280_000)

t.test('sends succeed with one persistence replica away and fail with two', async (t) => {
  const cluster = await Cluster.start(t)
  await cluster.register('bob')
  const alice = await cluster.register('alice')
  const [s1, s2, s3] = cluster.persistence
  const send = (text: string) => cluster.troca('bob', ['send', 'alice', text, '--timeout', '8'])

  await s2!.kill()
  const degraded = await send('one is away')
  t.equal(degraded.code, 0, degraded.stderr)

  await s3!.kill()
  const refused = await send('two are away')
  t.equal(refused.code, 3, refused.stderr)
  t.match(refused.stderr, '1 of 3 persistence replicas reachable (s1); 2 needed; missing: s2, s3.')
  t.match(refused.stderr, /Nothing was stored\.|It may be stored\./)
  const status = await cluster.troca('bob', ['status'])
  t.equal(status.code, 3, status.stderr)
  t.match(status.stderr, 'missing: s2, s3')

  s3!.start()
  await cluster.untilCaughtUp(s3!)
  const again = await send('one is back')
  t.equal(again.code, 0, again.stderr)

  await s1!.kill()
  const without = await send('another two are away')
  t.equal(without.code, 3, without.stderr)
  t.match(without.stderr, 'missing: s1, s2')
  s1!.start()
  // The test does not wait for the replica: the command itself waits long enough.
  const patient = await cluster.troca('bob', ['send', 'alice', 'at once', '--timeout', '30'])
  t.equal(patient.code, 0, patient.stderr)

  s2!.start()
  await cluster.untilSettled()
  const texts = (await readMailbox(alice)).map(({ text }) => text)
  const certain = ['one is away', 'one is back', 'at once']
  t.same(
    texts.filter((text) => certain.includes(text!)),
    certain,
    'each once, in order',
  )
  for (const [text, { stderr }] of [
    ['two are away', refused],
    ['another two are away', without],
  ] as const) {
    const count = texts.filter((one) => one === text).length
    t.ok(count <= (stderr.includes('Nothing was stored') ? 0 : 1), `"${text}": ${count}`)
  }
  await verifyReplicas(t, cluster)
})
