// What an edited cluster file changes in a running replica, and what it does not.

import t from 'tap'
import { checkConfig } from '../../../daemons/provision/config.js'
import { changesOf } from '../../../daemons/provision/reload.js'

const replica = (slot: number, port: number) => {
  return { slot, host: '127.0.0.1', port, debugPort: port + 1 }
}
const file = {
  clusterId: 'troca-1',
  replicas: { processing: [replica(1, 10)], persistence: [replica(1, 20)] },
}
const read = (changes: object) => checkConfig({ ...file, ...changes }, '/troca/cluster.yaml')

t.test('limits and the level of the log are taken over; the rest needs a restart', async (t) => {
  const inUse = read({})
  const nothing = { limits: {}, level: null, taken: [], restart: [] }
  t.same(changesOf(inUse, read({})), nothing)
  const edited = read({
    limits: { maxClients: 7, sendsPerSecond: 8 },
    log: { level: 'debug', maxFiles: 9 },
    timings: { heartbeat: 200 },
    registration: 'closed',
    replicas: { ...file.replicas, processing: [{ ...replica(1, 10), listen: '127.0.0.2' }] },
  })
  const { limits, level, taken, restart } = changesOf(inUse, edited)
  t.same(limits, { maxClients: 7 })
  t.equal(level, 'debug')
  t.same([...taken].sort(), ['limits.maxClients', 'log.level'])
  const left = ['limits.sendsPerSecond', 'log.maxFiles', 'registration', 'replicas']
  t.same([...restart].sort(), [...left, 'timings.heartbeat'])
})
