// Accounts on real daemons, through the command line: invitations, block lists, quotas, and the end
// of an account, which leaves no body of its mailbox in any file.

import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Ended } from '../../clients/cli/programs.js'
import { Cluster } from './cluster.js'
import type { Replica } from './replica.js'
import { messagesIn } from './stored.js'

t.setTimeout(280_000)

/** Number of messages in this mailbox whose bodies the file still holds. */
async function bodiesIn(replica: Replica, mailbox: string): Promise<number> {
  const messages = await messagesIn(replica)
  return messages.filter((one) => one.mailbox === mailbox && !one.erased).length
}

const settings = {
  registration: 'invitation',
  limits: { keyBits: 2_048, mailboxBytes: 100_000, sendsPerSecond: 50, sendBurst: 30 },
}

t.test('an account is invited, blocked, limited and deleted', async (t) => {
  const cluster = await Cluster.start(t, { processing: 3, persistence: 3, settings })
  const troca = (user: string, ...args: string[]): Promise<Ended> => cluster.troca(user, args)
  const good = ({ code, stdout, stderr }: Ended): string => {
    t.equal(code, 0, stderr)
    return stdout.trim()
  }
  const json = (ended: Ended): Record<string, unknown> =>
    JSON.parse(ended.stdout.trim()) as Record<string, unknown>

  // The first account needs no invitation. The second one does, and the third cannot reuse it.
  good(await troca('alice', 'register', 'alice'))
  const uninvited = await troca('bob', 'register', 'bob', '--json')
  t.match(json(uninvited), { exitCode: 1, error: 'INVITATION_NEEDED', definite: true })
  const invitation = json(await troca('alice', 'invite', '--json'))
  t.ok(Number(invitation['expires']) > Date.now())
  const code = String(invitation['code'])
  good(await troca('bob', 'register', 'bob', '--invitation', code))
  const again = await troca('carol', 'register', 'carol', '--invitation', code, '--json')
  t.match(json(again), { exitCode: 1, error: 'BAD_INVITATION', definite: true })
  t.match(await troca('carol', 'register', 'carol', '--invitation', 'x'), { code: 1 })
  const log = Buffer.concat(
    cluster.persistence.map(({ place }) => readFileSync(`${place.data}-wal`)),
  )
  t.equal(log.indexOf(Buffer.from(code, 'hex')), -1, 'the code itself is in no file')
  t.ok(log.indexOf('bob') > 0)

  // A block list.
  good(await troca('alice', 'send', 'bob', 'one'))
  good(await troca('bob', 'block', 'alice'))
  t.same(json(await troca('bob', 'block', '--list', '--json')), { blocked: ['alice'] })
  const blocked = await troca('alice', 'send', 'bob', 'two', '--json')
  t.match(json(blocked), { exitCode: 1, error: 'BLOCKED', definite: true })
  t.match(await troca('bob', 'block', 'nobody'), { code: 1, stderr: /no such user/ })
  t.match(await troca('bob', 'block'), { code: 2 })
  good(await troca('bob', 'block', '--remove', 'alice'))
  good(await troca('alice', 'send', 'bob', 'three'))

  // Sends beyond the rate limit: the library waits, and no message is lost.
  const alice = await cluster.logIn('alice')
  const receipts = await Promise.all(
    Array.from({ length: 60 }, (_, i) => alice.send('bob', `fast ${i}`)),
  )
  t.equal(new Set(receipts.map(({ index }) => index)).size, 60)

  // The mailbox is full until its owner deletes a message.
  const large = 'x'.repeat(60_000)
  const first = await alice.send('bob', large)
  const second = await alice.send('bob', large).catch((error: unknown) => error)
  const full = second instanceof Error ? second : await alice.send('bob', 'more').catch((e) => e)
  t.match(full, { name: 'MAILBOX_FULL', definite: true, retryAfterMs: undefined })
  t.match((full as Error).message, /\(bob may hold 100000 bytes\)/)
  const bob = await cluster.logIn('bob')
  const mine = [first, ...(second instanceof Error ? [] : [second as typeof first])]
  await bob.delete(mine.map(({ index }) => index))
  await cluster.until('there is room again', () => alice.send('bob', 'once more').catch(() => null))

  // The account is deleted while one replica is away, which learns of it later.
  const [away] = cluster.persistence
  await away!.kill()
  t.match(await troca('bob', 'account', 'delete'), { code: 2, stderr: /--yes/ })
  good(await troca('bob', 'account', 'delete', '--yes'))
  await t.rejects(bob.inbox(), { name: 'BAD_CREDENTIALS' }, 'its other session has ended')
  t.match(json(await troca('alice', 'send', 'bob', 'gone?', '--json')), { error: 'NO_SUCH_USER' })
  t.match(await troca('bob', 'login', 'bob'), { code: 4 })
  const next = String(json(await troca('alice', 'invite', '--json'))['code'])
  const taken = await troca('bob', 'register', 'bob', '--invitation', next, '--json')
  t.match(json(taken), { error: 'NAME_TAKEN' })
  away!.start()
  await cluster.untilSettled()
  for (const replica of cluster.persistence) {
    await cluster.until(`${replica.name} has erased all of it`, async () => {
      return (await bodiesIn(replica, 'bob')) === 0 ? true : null
    })
  }
  t.match(await cluster.audit(), { agree: true })
})
