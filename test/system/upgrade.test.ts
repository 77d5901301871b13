// Upgrades: replicas of an earlier build and of this one in one cluster, replaced one by one under
// load, and back. Where the versions of wire or files differ, the refusal names both and the next
// step. The earlier build is TROCA_UPGRADE_FROM, the newest tag, or the parent of the last commit
// that changed the code.

import t from 'tap'
import type { Test } from 'tap'
import { SCHEMA_VERSION } from '../../daemons/storage/schema.js'
import { WIRE_VERSION } from '../../protocol/schema/shared.js'
import { buildCommit, git, moduleOf } from './checkout.js'
import { Cluster } from './cluster.js'
import type { Replica } from './replica.js'
import { Traffic } from './verify.js'

t.setTimeout(580_000)

const STRETCH = 30

interface Earlier {
  readonly commit: string
  readonly name: string
}

/** The commit to upgrade from; a text says why there is none. */
function earlier(): Earlier | string {
  const wanted = process.env['TROCA_UPGRADE_FROM']
  try {
    if (wanted) return { name: wanted, commit: git('rev-parse', '--verify', `${wanted}^{commit}`) }
    git('rev-parse', '--git-dir')
  } catch {
    return wanted ? `git knows no commit ${wanted}` : 'this is no git checkout'
  }
  const name = (() => {
    try {
      return git('describe', '--tags', '--abbrev=0')
    } catch {
      const code = ['protocol', 'daemons', 'clients'].map((one) => `:/${one}`)
      return `${git('log', '-1', '--format=%h', '--', ...code)}^`
    }
  })()
  try {
    return { name, commit: git('rev-parse', '--verify', `${name}^{commit}`) }
  } catch {
    return `${name} is not in this checkout`
  }
}

/** Stops a replica, and starts it as another build. */
async function replace(cluster: Cluster, replica: Replica, root: string | null): Promise<void> {
  await replica.stop()
  replica.use(root === null ? {} : { root })
  replica.start()
  await cluster.untilCaughtUp(replica)
}

async function rolling(t: Test, root: string): Promise<void> {
  const cluster = await Cluster.start(t, { processing: 3, persistence: 3 }, { root })
  const traffic = await Traffic.start(cluster)
  for (const build of [null, root]) {
    for (const replica of cluster.replicas) {
      await traffic.more(STRETCH)
      await replace(cluster, replica, build)
      t.comment(`${replica.name} runs ${build === null ? 'this build' : 'the earlier one'}`)
    }
  }
  await traffic.more(STRETCH)
  await traffic.verify(t)
}

async function refused(t: Test, root: string, wire: number): Promise<void> {
  const cluster = await Cluster.start(t, { processing: 2, persistence: 1 }, { root })
  const p2 = cluster.replica('p2')
  await p2.stop()
  p2.use({})
  p2.start()
  const why = await cluster.until('p2 says why it has no link', async () => {
    const line = p2.log().find(({ event }) => event === 'dial-failed' || event === 'link-refused')
    return line?.reason ?? null
  })
  t.match(why, new RegExp(`\\b${wire}\\b`))
  t.match(why, new RegExp(`\\b${WIRE_VERSION}\\b`))
}

const from = earlier()

t.test('replicas of two builds', { skip: typeof from === 'string' ? from : false }, async (t) => {
  const { commit, name } = from as Earlier
  t.comment(`building ${name}, ${commit.slice(0, 12)}`)
  const root = buildCommit(t, commit)
  const { WIRE_VERSION: wire = 0 } = (await moduleOf(root, 'protocol/schema/shared.js')) as {
    WIRE_VERSION?: number
  }
  const { SCHEMA_VERSION: layout = 0 } = (await moduleOf(root, 'daemons/storage/schema.js')) as {
    SCHEMA_VERSION?: number
  }
  t.comment(`wire ${wire} and ${WIRE_VERSION}, layout ${layout} and ${SCHEMA_VERSION}`)
  if (wire === WIRE_VERSION && layout === SCHEMA_VERSION) {
    await t.test('serve together, and are replaced one by one', (t) => rolling(t, root))
  } else if (wire !== WIRE_VERSION) {
    await t.test('refuse one another by a sentence', (t) => refused(t, root, wire))
  } else {
    t.pass('the layouts differ: the tests of the store show the migration and the refusal')
  }
})
