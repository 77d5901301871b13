// The checks that watch a run.

import type { Cluster } from '../cluster.js'
import type { Setting } from '../setting.js'
import { CatchUpCheck } from './catch-up.js'
import { CandidateCheck } from './candidates.js'
import { clientChecks } from './client-checks.js'
import { ConsentCheck } from './consents.js'
import { DiskCheck } from './disk.js'
import { ErasureCheck } from './erasure.js'
import { Demand } from './demand.js'
import { Health } from './health.js'
import { HomeCheck } from './homes.js'
import { ServiceCheck } from './service.js'
import { InstallCheck } from './installs.js'
import { LogCheck } from './log.js'
import { FileMirrorCheck } from './file-mirror.js'
import { Neighbours } from './neighbours.js'
import { IncarnationCheck } from './incarnations.js'
import { PermissionCheck } from './permissions.js'
import { OrderCheck } from './orders.js'
import { LogQueryCheck } from './log-queries.js'
import { ReadCheck } from './reads.js'
import { ProofRuleCheck } from './proof-rules.js'
import { InvalidMessageCheck } from './invalid-messages.js'
import { TermCheck } from './term.js'
import { TurnCheck } from './turn.js'
import { AppendAnswerCheck } from './append-answers.js'
import { ViewCheck } from './view.js'
import { PromiseCheck } from './promises.js'
import { ClaimWeightCheck } from './claim-weights.js'
import { DraftCheck } from './drafts.js'
import { SnapshotCheck } from './snapshots.js'
import type { Check } from './check.js'

/** `clients`: the run has users, whose sessions are checked too. */
export function checksOf(cluster: Cluster, setting: Setting, clients: boolean): Check[] {
  const { history, coverage, disks, timeline, persistence, processing, wrong } = cluster
  const { sizes, mayHalt } = setting
  const neighbours = new Neighbours('VIEW_HEARTBEAT')
  const stores = new Neighbours('STORE_HEARTBEAT')
  const health = new Health(cluster, sizes.persistence)
  const demand = new Demand()
  const checks: Check[] = [
    neighbours,
    stores,
    health,
    new TurnCheck(persistence),
    new PermissionCheck(),
    new DiskCheck(),
    new ViewCheck(),
    new LogCheck(history, disks),
    new DraftCheck(history),
    new ReadCheck(history, sizes.persistence),
    new PromiseCheck(sizes.persistence),
    new IncarnationCheck(),
    new TermCheck(history),
    new ProofRuleCheck(sizes.processing, disks),
    new FileMirrorCheck(),
    new CatchUpCheck(neighbours),
    new InstallCheck(),
    new ConsentCheck(neighbours),
  ]
  if (clients) {
    checks.push(...clientChecks(history, coverage, { processing, setting }, () => timeline.now))
    checks.push(new OrderCheck(history, wrong), new SnapshotCheck(history, processing))
    checks.push(new CandidateCheck(sizes.processing), new LogQueryCheck(stores, sizes.persistence))
    checks.push(new ClaimWeightCheck(demand), new HomeCheck(stores, sizes.persistence))
  }
  // Beyond the fault model a replica may be silent, or halt, for good.
  if (!mayHalt) {
    checks.push(
      new InvalidMessageCheck(),
      new AppendAnswerCheck(timeline),
      new ErasureCheck(history, disks),
      new ServiceCheck(health, demand),
    )
  }
  return [...checks, demand]
}
