import t from 'tap'
import { originOf } from '../../../protocol/sessions/address.js'

t.test('an IPv4 address is its own origin, however it is written', (t) => {
  t.equal(originOf('192.0.2.7'), '192.0.2.7')
  t.equal(originOf('::ffff:192.0.2.7'), '192.0.2.7')
  t.end()
})

t.test('IPv6 addresses with the same first 64 bits are one origin', (t) => {
  const home = originOf('2001:db8:1:2:3:4:5:6')
  t.equal(home, '2001:db8:1:2::/64')
  t.equal(originOf('2001:0DB8:1:2::9'), home)
  t.equal(originOf('2001:db8:1:3::9'), '2001:db8:1:3::/64')
  t.equal(originOf('2001:db8::1'), '2001:db8:0:0::/64')
  t.equal(originOf('::1'), '0:0:0:0::/64')
  t.equal(originOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.end()
})
