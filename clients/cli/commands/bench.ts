// troca bench: a closed loop of sends between throw-away users, then rates and latencies, and what a
// message costs each daemon.

import { writeFileSync } from 'node:fs'
import type { CommandModule } from 'yargs'
import { connect } from '../../client.js'
import { Daemons, costsBetween } from '../bench/daemon-costs.js'
import { openFleet } from '../bench/fleet.js'
import { LoadGenerator } from '../bench/load.js'
import { planOf } from '../bench/plan.js'
import type { BenchFlags, Plan } from '../bench/plan.js'
import { benchJson, costsText, ratesTable } from '../bench/show.js'
import type { Phase } from '../bench/show.js'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress, note, progress, result, resultJson } from '../output.js'
import { withClient } from '../run.js'

type Flags = GlobalFlags & BenchFlags

async function measure(
  load: LoadGenerator,
  plan: Plan,
  inFlight: number,
  daemons: Daemons | null,
): Promise<Phase> {
  progress(`${inFlight} in flight: warming up`)
  if (plan.warmUpSeconds > 0) await load.run(inFlight, plan.warmUpSeconds)
  const before = daemons && (await daemons.look())
  const cpu = process.cpuUsage()
  const measured = await load.run(inFlight, plan.seconds, (elapsed, sends) => {
    const rate = Math.round(sends / elapsed)
    progress(`${inFlight} in flight: ${elapsed.toFixed(1)} s  ${rate} sends/s`)
  })
  const { user, system } = process.cpuUsage(cpu)
  const after = daemons && (await daemons.look())
  clearProgress()
  return {
    ...measured,
    clientCpuSeconds: (user + system) / 1e6,
    daemons: before && after && costsBetween(before, after),
  }
}

function measureAll(context: Context, plan: Plan, daemons: Daemons | null): Promise<Phase[]> {
  const more = { ...context.servers(), timeoutMs: context.timeoutMs }
  return withClient(context, { sending: true }, async (first) => {
    const fleet = await openFleet(plan, first, () => connect(more))
    try {
      const load = new LoadGenerator(fleet, plan)
      const phases: Phase[] = []
      for (const inFlight of plan.inFlight) {
        phases.push(await measure(load, plan, inFlight, daemons))
      }
      return phases
    } finally {
      fleet.abandon()
      clearProgress()
    }
  })
}

/** The daemons to ask for a report; null, with a note, where only the service is known. */
function daemonsOf({ dir }: Context): Daemons | null {
  if (hasCluster(dir)) return new Daemons(dir)
  note(`no report: ${dir} has no cluster.yaml that names the daemons' debug ports`)
  return null
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new Failure(EXIT.failed, `--out ${file}: ${(error as Error).message}`)
  }
}

export const bench: CommandModule<GlobalFlags, Flags> = {
  command: 'bench',
  describe: 'measure sends: a closed loop',
  builder: (yargs) =>
    yargs
      .option('in-flight', {
        type: 'string',
        default: '64',
        describe: 'unanswered sends at a time, 256 at most for each sender; several: 1,16,64',
      })
      .option('size', { type: 'number', default: 256, describe: 'bytes of a text' })
      .option('seconds', { type: 'number', default: 10, describe: 'of each phase' })
      .option('warm-up', {
        type: 'number',
        default: 1,
        describe: 'seconds before each phase that are not counted',
      })
      .option('senders', { type: 'number', default: 1, describe: 'users that send' })
      .option('recipients', { type: 'number', default: 1, describe: 'users that are sent to' })
      .option('consume', {
        type: 'boolean',
        default: false,
        describe: 'the recipients listen, and acknowledge',
      })
      .option('report', {
        type: 'boolean',
        default: false,
        describe: 'what a message costs each daemon',
      })
      .option('out', { type: 'string', describe: 'a file for the results as JSON' }),
  async handler(flags) {
    const context = new Context(flags)
    const plan = planOf(flags)
    // A file that cannot be written is found before the load, not after it.
    if (flags.out !== undefined) save(flags.out, '')
    const phases = await measureAll(context, plan, flags.report ? daemonsOf(context) : null)
    const json = benchJson(plan, phases)
    if (flags.out !== undefined) save(flags.out, `${JSON.stringify(json, null, 2)}\n`)
    if (context.json) return resultJson(json)
    result(ratesTable(phases))
    for (const phase of phases) if (phase.daemons) result(costsText(phase))
  },
}
