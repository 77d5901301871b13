// The verification at the end of every test: no acknowledged message is lost, doubled, changed or
// out of order; pushed and stored messages are the same; all logs are equal; no replica died or
// reported a fault.

import type { Test } from 'tap'
import type { Client } from '../../clients/index.js'
import { chainOfFile } from '../../daemons/storage/audit.js'
import type { Cluster } from './cluster.js'
import { Listener, Load, faultsOf, readMailbox } from './load.js'

/**
 * Bob and Carol send to Alice, who listens. Her marks make persistence replicas compete for the
 * turn.
 */
export class Traffic {
  readonly cluster: Cluster
  readonly alice: Client
  readonly loads: readonly Load[]
  readonly #listener: Listener
  /** Loads of other clients of the same cluster, also to Alice. */
  readonly #others: Load[] = []

  private constructor(cluster: Cluster, alice: Client, senders: readonly Client[]) {
    this.cluster = cluster
    this.alice = alice
    this.#listener = new Listener(alice)
    this.loads = senders.map((sender) => new Load(sender, 'alice').start())
  }

  static async start(cluster: Cluster): Promise<Traffic> {
    const alice = await cluster.register('alice')
    const senders = [await cluster.register('bob'), await cluster.register('carol')]
    return new Traffic(cluster, alice, senders)
  }

  add(load: Load): Load {
    this.#others.push(load)
    return load
  }

  /** Waits until every sender has `count` more acknowledgements. */
  async more(count: number): Promise<void> {
    const wanted = this.loads.map((load) => load.acknowledged + count)
    await this.cluster.until(`${count} more sends of each are acknowledged`, () => {
      const done = this.loads.every((load, i) => load.acknowledged >= wanted[i]!)
      return Promise.resolve(done ? true : null)
    })
  }

  get acknowledged(): number {
    return this.loads.reduce((sum, load) => sum + load.acknowledged, 0)
  }

  gapSince(fromMs: number): number {
    return Math.max(...this.loads.map((load) => load.gapSince(fromMs)))
  }

  /** `expected` names events of level error that the test has caused. */
  async verify(t: Test, expected: readonly string[] = []): Promise<void> {
    const loads = [...this.loads, ...this.#others]
    await Promise.all(loads.map((load) => load.stop()))
    const failed = loads.flatMap(({ sent }) => sent.filter(({ index }) => index === null))
    t.same(failed.slice(0, 5), [], 'every send is acknowledged in the end')
    const reader = await this.cluster.logIn('alice')
    const mailbox = await readMailbox(reader)
    t.same(faultsOf(mailbox, loads).slice(0, 10), [], 'the mailbox holds what was acknowledged')

    const last = mailbox.at(-1)?.index ?? 0
    const got = this.#listener.got
    await this.cluster.until('everything is pushed', () => {
      return Promise.resolve((got.at(-1)?.index ?? 0) >= last ? true : null)
    })
    await this.#listener.stop()
    const textsOf = (messages: typeof got) => messages.map(({ index, text }) => `${index} ${text}`)
    t.ok(textsOf(got).join('\n') === textsOf(mailbox).join('\n'), 'pushes and mailbox are equal')
    t.comment(`${mailbox.length} messages in the mailbox`)
    await verifyReplicas(t, this.cluster, expected)
  }
}

export async function verifyReplicas(
  t: Test,
  cluster: Cluster,
  expected: readonly string[] = [],
): Promise<void> {
  // A mark may be appended while the files are read one after the other; the audit is then
  // repeated.
  const { agree, ends } = await cluster.until('all files end alike', async () => {
    const audited = await auditEnds(cluster)
    return audited.alike || !audited.agree ? audited : null
  })
  t.ok(agree, 'the audit finds no fault')
  t.same(ends, Array(cluster.persistence.length).fill(ends[0]), 'equal chains')
  for (const replica of cluster.replicas) {
    t.same(replica.unexpectedEnds, [], `${replica.name} did not end by itself`)
    const errors = replica.log().filter(({ level, event }) => {
      return level === 'error' && !expected.includes(event)
    })
    t.same(errors, [], `${replica.name} reported no error`)
  }
}

/** Compares whole files: all entries are committed by now, but a file's commit index may lag. */
async function auditEnds(cluster: Cluster) {
  await cluster.untilSettled()
  const { agree, files } = await cluster.audit()
  const ends = await Promise.all(
    cluster.persistence.map(async ({ name, place }) => {
      const { last } = files.find(({ replica }) => replica === name)!
      return { last, chain: Buffer.from((await chainOfFile(place.data, last))!).toString('hex') }
    }),
  )
  const alike = ends.every(({ last, chain }) => last === ends[0]!.last && chain === ends[0]!.chain)
  return { agree, ends, alike }
}
