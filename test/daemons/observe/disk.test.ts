// The disk of the data folder: its room, and the warning while there is little.

import t from 'tap'
import { DiskWatch, diskRoom, type DiskRoom } from '../../../daemons/observe/disk.js'

const HOUR = 3_600_000

t.test('the room of a folder that exists is known', async (t) => {
  const { size = 0, free = -1 } = diskRoom(t.testdir()) ?? {}
  t.ok(size > 0 && free >= 0 && free <= size)
  t.equal(diskRoom('/no/such/folder'), null)
})

t.test('little room is said once an hour, and again after there was more', async (t) => {
  let free = 2 * 1024 ** 3
  const warnings: DiskRoom[] = []
  const watch = new DiskWatch(
    () => ({ size: 1e12, free }),
    (room) => warnings.push(room),
  )
  const said = (now: number): number => {
    watch.look(now)
    return warnings.length
  }
  t.equal(said(0), 0)
  free = 1024 ** 3 - 1
  t.same([said(1), said(2), said(HOUR), said(HOUR + 1)], [1, 1, 1, 2])
  free = 1024 ** 3
  t.equal(said(HOUR + 2), 2)
  free = 0
  t.equal(said(HOUR + 3), 3)
  t.same(warnings.at(-1), { size: 1e12, free: 0 })
})

t.test('an unknown room is no warning', async (t) => {
  new DiskWatch(
    () => null,
    () => t.fail('warned'),
  ).look(0)
})
