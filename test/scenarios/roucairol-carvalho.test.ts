// Roucairol & Carvalho 1983: a permission, once given, is kept until it is asked for.

import t from 'tap'
import { TurnStage } from './turn-stage.js'

t.test('who enters again with all permissions kept sends nothing', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  stage.request(1, 5)
  stage.settle()
  stage.leave(1)
  stage.take()
  stage.request(1, 9)
  t.same(stage.take(), ['1 wants the turn, stamp 9', '1 holds the turn'])
})

t.test('only the permission that was given away is asked for again', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  stage.request(1, 5)
  stage.settle()
  stage.leave(1)
  stage.request(2, 6)
  stage.settle()
  stage.leave(2)
  stage.take()
  stage.request(1, 9)
  stage.settle()
  t.same(stage.take(), [
    '1 wants the turn, stamp 9',
    '1 → 2 REQUEST 9',
    '2 → 1 REPLY 9',
    '1 holds the turn',
  ])
})

t.test('who wants the turn and gives its permission asks for it in the same breath', async (t) => {
  const stage = new TurnStage([1, 2, 3])
  stage.request(1, 5)
  stage.settle()
  stage.leave(1)
  // 3 has taken 1's permission; 1 still keeps that of 2.
  stage.request(3, 6)
  stage.settle()
  stage.leave(3)
  stage.take()
  stage.request(1, 9)
  stage.request(2, 7)
  stage.settle()
  const lines = stage.take()
  t.ok(lines.includes('1 → 2 REPLY 7'), 'the smaller stamp gets the permission')
  t.ok(lines.includes('1 → 2 REQUEST 9'), 'and 1 asks for it again')
  t.same(stage.holders, [2])
  stage.leave(2)
  stage.settle()
  t.same(stage.holders, [1])
})

t.test('a new view begins without any permission', async (t) => {
  const stage = new TurnStage([1, 2])
  stage.request(1, 5)
  stage.settle()
  stage.turn(1).install([2])
  stage.turn(2).install([1])
  t.same(stage.holders, [])
  stage.take()
  stage.request(1, 6)
  stage.settle()
  t.same(stage.take(), [
    '1 wants the turn, stamp 6',
    '1 → 2 REQUEST 6',
    '2 → 1 REPLY 6',
    '1 holds the turn',
  ])
})

t.test('on a new connection an unanswered request is sent again', async (t) => {
  const stage = new TurnStage([1, 2])
  stage.request(1, 5)
  stage.deliver(1, 2)
  // The reply was lost with the old connection.
  stage.turn(1).reconnected(2)
  stage.turn(2).reconnected(1)
  stage.settle()
  t.same(stage.holders, [1])
})
