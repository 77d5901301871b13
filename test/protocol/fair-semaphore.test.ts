import t from 'tap'
import { FairSemaphore } from '../../protocol/fair-semaphore.js'

t.test('the semaphore admits its limit, and origins take turns', (t) => {
  const turns = new FairSemaphore(2)
  const begun: string[] = []
  const endings: (() => void)[] = []
  const take = (origin: string, name: string): void =>
    turns.take(origin, (done) => (begun.push(name), endings.push(done)))
  for (const name of ['f1', 'f2', 'f3', 'f4']) take('flood', name)
  take('alice', 'a1')
  t.same(begun.splice(0), ['f1', 'f2'])
  while (endings.length > 0) endings.shift()!()
  t.same(begun, ['f3', 'a1', 'f4'])
  t.end()
})
