import t from 'tap'
import { Membership } from '../../../protocol/view/membership.js'
import type { PersistenceContext } from '../../../protocol/persistence/context.js'

/**
 * s2 of five: s1, s3 and s5 are linked to it, s4 is dead. `cut`: pairs without a link to each
 * other.
 */
function seenByS2(
  cut: readonly string[],
  committed: Readonly<Record<number, number>> = {},
): PersistenceContext {
  const linked = [1, 2, 3, 5]
  const reaches = (from: number): number[] =>
    linked.filter((to) => !cut.includes(`${from}-${to}`) && !cut.includes(`${to}-${from}`))
  const peers = linked.map((slot) => {
    const [last, incarnation] = [committed[slot] ?? 50, { counter: 1, nonce: '' }]
    const state = { status: 'normal', writable: true, oldestWrite: 0, last, committed: last }
    return [
      slot,
      { heard: 0, heartbeat: { ...state, incarnation, reaches: reaches(slot) } },
    ] as const
  })
  return {
    ...{ self: 2, majority: 3, reached: linked, writable: true, otherMembers: [4, 5] },
    ...{ peers: new Map(peers), log: { last: 50, commit: 50 }, bounds: { near: 10 } },
    ...{ now: { monotonic: 0, wall: 0 }, timings: { suspect: 1_000 } },
    hears: (slot: number) => linked.includes(slot),
  } as unknown as PersistenceContext
}

t.test('a stuck replica stays out', (t) => {
  t.same(new Membership(seenByS2([]), { stuckOn: [5] }).target(), [1, 2, 3])
  t.end()
})

t.test('a stuck replica comes in if too few of the others reach each other', (t) => {
  t.same(new Membership(seenByS2(['1-3']), { stuckOn: [5] }).target(), [1, 2, 5])
  t.end()
})

t.test('a replica far behind stays out, unless too few of the others reach each other', (t) => {
  t.same(new Membership(seenByS2([], { 1: 20 }), { stuckOn: [] }).target(), [2, 3, 5])
  t.same(new Membership(seenByS2(['3-5'], { 1: 20 }), { stuckOn: [] }).target(), [1, 2, 3])
  t.end()
})

t.test('a replica far behind is preferred to a stuck one', (t) => {
  t.same(new Membership(seenByS2([], { 1: 20 }), { stuckOn: [5] }).target(), [1, 2, 3])
  t.end()
})
