// Which checks watch a run.

import type { Cluster } from '../cluster.js'
import type { Setting } from '../setting.js'
import { AskingCheck } from './asking.js'
import { CandidateCheck } from './candidates.js'
import { clientChecks } from './client-checks.js'
import { ConsentCheck } from './consents.js'
import { DiskCheck } from './disk.js'
import { ErasureCheck } from './erasure.js'
import { HomeCheck } from './homes.js'
import { InstallCheck } from './installs.js'
import { LogCheck } from './log.js'
import { MirrorCheck } from './mirror.js'
import { Neighbours } from './neighbours.js'
import { OverCheck } from './over.js'
import { PermissionCheck } from './permissions.js'
import { OrderCheck } from './orders.js'
import { QuestionCheck } from './questions.js'
import { ReadCheck } from './reads.js'
import { RuleCheck } from './rules.js'
import { SeekingCheck } from './seeking.js'
import { SenseCheck } from './sense.js'
import { TermCheck } from './term.js'
import { TroubleCheck } from './trouble.js'
import { TurnCheck } from './turn.js'
import { UnansweredCheck } from './unanswered.js'
import { ViewCheck } from './view.js'
import { VoteCheck } from './votes.js'
import { WeightCheck } from './weights.js'
import { WriterCheck } from './writer.js'
import type { Check } from './check.js'

/** `clients`: there are users, whose sessions are watched too. */
export function checksOf(cluster: Cluster, setting: Setting, clients: boolean): Check[] {
  const { history, coverage, disks, timeline, persistence, wrong } = cluster
  const { sizes, mayHalt } = setting
  const neighbours = new Neighbours()
  const checks: Check[] = [
    neighbours,
    new TurnCheck(persistence),
    new PermissionCheck(),
    new DiskCheck(),
    new ViewCheck(),
    new LogCheck(history, disks),
    new WriterCheck(history),
    new ReadCheck(history, sizes.persistence),
    new VoteCheck(sizes.persistence),
    new OverCheck(),
    new TermCheck(history),
    new RuleCheck(sizes.processing, disks),
    new MirrorCheck(),
    new AskingCheck(neighbours),
    new InstallCheck(),
    new ConsentCheck(neighbours),
    new TroubleCheck(neighbours, sizes.persistence),
  ]
  if (clients) {
    checks.push(...clientChecks(history, coverage, () => timeline.now))
    checks.push(new OrderCheck(history, wrong))
    const homes = new HomeCheck(sizes.persistence)
    checks.push(homes, new CandidateCheck(sizes.processing), new QuestionCheck(homes))
    checks.push(new SeekingCheck(homes), new WeightCheck())
  }
  // Beyond the fault model a replica may be silent, or halt, for good.
  if (!mayHalt) {
    checks.push(new SenseCheck(), new UnansweredCheck(timeline), new ErasureCheck(history, disks))
  }
  return checks
}
