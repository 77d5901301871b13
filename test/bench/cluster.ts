// A cluster of its own for a benchmark, on free ports, with the load of `troca bench`.

import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { openFleet } from '../../clients/cli/bench/fleet.js'
import { LoadGenerator } from '../../clients/cli/bench/load.js'
import { Context } from '../../clients/cli/context.js'
import { connect } from '../../clients/index.js'
import type { Client } from '../../clients/index.js'
import { Cluster } from '../system/cluster.js'
import type { Owner } from '../system/cluster.js'
import type { Launch, Replica } from '../system/replica.js'

const PATIENCE_MS = 60_000

/** The part of a client library that the load needs; another commit's library has it too. */
export interface Library {
  readonly connect: typeof connect
}

interface Loading {
  readonly load: LoadGenerator
  readonly sender: Client
  readonly recipient: string
  end(): void
}

export interface BenchCluster {
  readonly cluster: Cluster
  /** Registers a sender and a recipient. */
  loading(sizeBytes: number, library?: Library): Promise<Loading>
  /** Stops every daemon in order, so that it writes what it has recorded. */
  stop(): Promise<void>
}

async function stop(replica: Replica): Promise<void> {
  if (replica.runs) await replica.stop()
}

/** Starts a cluster of three and three; the end of `owner` removes it. */
export async function startBenchCluster(owner: Owner, launch: Launch = {}): Promise<BenchCluster> {
  const directory = mkdtempSync(join(owner.testdir(), 'cluster-'))
  const own = { ...owner, testdir: () => directory }
  const cluster = await Cluster.start(own, { processing: 3, persistence: 3 }, launch)
  const servers = { ...new Context({ dir: cluster.directory }).servers(), timeoutMs: PATIENCE_MS }
  return {
    cluster,
    async loading(sizeBytes, library = { connect }) {
      const open = (): Promise<Client> => library.connect(servers)
      const sender = await open()
      owner.teardown(() => sender.abandon('the benchmark is over'))
      const fleet = await openFleet({ senders: 1, recipients: 1, consume: false }, sender, open)
      const load = new LoadGenerator(fleet, { sizeBytes })
      const end = (): void => sender.abandon('the benchmark is over')
      return { load, sender, recipient: fleet.recipients[0]!, end }
    },
    async stop() {
      await Promise.all(cluster.replicas.map(stop))
    },
  }
}
