// Ricart & Agrawala 1981, "An optimal algorithm for mutual exclusion in computer networks".

import t from 'tap'
import { TurnStage } from './turn-stage.js'

t.test('a node enters when every other node has replied', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  stage.request(1, 5)
  stage.settle()
  t.same(stage.take(), [
    '1 wants the turn, stamp 5',
    '1 → 2 REQUEST 5',
    '1 → 3 REQUEST 5',
    '2 → 1 REPLY 5',
    '3 → 1 REPLY 5',
    '1 holds the turn',
  ])
})

t.test('a majority of replies is not enough', async (t) => {
  const stage = new TurnStage([1, 2, 3, 4, 5])
  stage.request(1, 5)
  for (const other of [2, 3, 4]) {
    stage.deliver(1, other)
    stage.deliver(other, 1)
  }
  t.same(stage.holders, [])
  t.same(stage.turn(1).missing, [5])
})

t.test('of two requests the smaller stamp goes first; the other reply is deferred', async (t) => {
  const stage = new TurnStage([1, 2])
  stage.request(1, 7)
  stage.request(2, 6)
  stage.settle()
  t.same(stage.take(), [
    '1 wants the turn, stamp 7',
    '2 wants the turn, stamp 6',
    '1 → 2 REQUEST 7',
    '2 → 1 REQUEST 6',
    '1 → 2 REPLY 6',
    '2 holds the turn',
  ])
  t.ok(stage.turn(2).awaited)
  stage.leave(2)
  stage.settle()
  t.same(stage.take(), ['2 leaves', '2 → 1 REPLY 7', '1 holds the turn'])
})

t.test('equal stamps: the smaller slot goes first', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  stage.request(3, 4)
  stage.request(2, 4)
  stage.settle()
  t.same(stage.holders, [2])
  stage.leave(2)
  stage.settle()
  t.same(stage.holders, [3])
})

t.test('who holds the turn defers everybody, whatever their stamp', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  stage.request(1, 9)
  stage.settle()
  stage.request(2, 1)
  stage.request(3, 2)
  stage.settle()
  t.same(stage.holders, [1])
  stage.leave(1)
  stage.settle()
  t.same(stage.holders, [2])
  stage.leave(2)
  stage.settle()
  t.same(stage.holders, [3])
})

t.test('a reply counts only for the stamp that was asked with', async (t) => {
  const stage = new TurnStage([1, 2])
  stage.request(1, 8)
  stage.stray(2, 1, 3)
  t.same(stage.holders, [])
  stage.deliver(1, 2)
  stage.deliver(2, 1)
  t.same(stage.holders, [1])
})

t.test('however requests cross, one node at a time holds the turn', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  for (const [slot, stamp] of [
    [3, 3],
    [1, 4],
    [2, 3],
  ] as const) {
    stage.request(slot, stamp)
  }
  const order: number[] = []
  while (order.length < 3) {
    stage.settle()
    t.equal(stage.holders.length, 1)
    order.push(stage.holders[0]!)
    stage.leave(stage.holders[0]!)
  }
  t.same(order, [2, 3, 1])
})
