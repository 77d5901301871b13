// The texts of --host and --machines.

import t from 'tap'
import { placesOf } from '../../../daemons/provision/places.js'

const listed = (hosts: readonly string[], machines?: string) => {
  const { host, places, machines: count } = placesOf(hosts, machines)
  return { host, places: Object.fromEntries(places), count }
}

t.test('--host names one replica, or all others', async (t) => {
  t.same(listed([]), { host: '127.0.0.1', places: {}, count: null })
  t.same(listed(['10.0.0.9', 'p1=10.0.0.1', 's1=[::1]']), {
    host: '10.0.0.9',
    places: { p1: { host: '10.0.0.1' }, s1: { host: '::1' } },
    count: null,
  })
  t.throws(() => listed(['p1=a', 'p1=b']), /p1 has a host already/)
  t.throws(() => listed(['x1=10.0.0.1']), /p1=ADDRESS or s1=ADDRESS is needed/)
})

t.test('--machines puts a replica of either tier on each', async (t) => {
  const places = {
    p1: { machine: 'a', host: '10.0.0.1' },
    s1: { machine: 'a', host: '10.0.0.1' },
    p2: { host: 'b.example' },
    s2: { host: 'b.example' },
    p3: { host: '::1' },
    s3: { host: '::1' },
  }
  t.same(listed([], 'a=10.0.0.1, b.example,[::1]'), { host: '127.0.0.1', places, count: 3 })
  t.throws(() => listed([], 'a,,b'), /addresses with commas/)
  t.throws(() => listed(['10.0.0.1'], 'a,b,c'), /leave --host out/)
})
