import t from 'tap'
import { RateLimiter } from '../../../protocol/sessions/rates.js'

t.test('a burst passes at once, then the rate per second', (t) => {
  const rates = new RateLimiter({ perSecond: 100, burst: 20 })
  for (let i = 0; i < 20; i++) t.equal(rates.take('alice', 0), 0)
  const wait = rates.take('alice', 0)
  t.equal(wait, 100, 'the wait is for the sends of a tenth of a second')
  t.equal(rates.take('alice', 99), 1, 'no single send passes before')
  for (let i = 0; i < 10; i++) t.equal(rates.take('alice', wait), 0)
  t.not(rates.take('alice', wait), 0)
  t.equal(rates.take('bob', wait), 0, 'each user for itself')
  t.end()
})

t.test('a user that waits exactly as long as told is let through', (t) => {
  for (const [perSecond, burst] of [
    [1, 1],
    [3, 2],
    [7, 1_000],
    [20_000, 100],
  ] as const) {
    const rates = new RateLimiter({ perSecond, burst })
    let now = 0
    for (let i = 0; i < 3 * burst + 5; i++) {
      const wait = rates.take('alice', now)
      if (wait === 0) continue
      now += wait
      t.equal(rates.take('alice', now), 0, `${perSecond} a second, burst ${burst}`)
    }
  }
  t.end()
})

t.test('full buckets are forgotten', (t) => {
  const rates = new RateLimiter({ perSecond: 10, burst: 5 })
  for (let i = 0; i < 10_000; i++) rates.take(`user${i}`, i * 10)
  t.ok(rates.size < 500, `${rates.size} kept`)
  t.end()
})
