// troca recover: makes files that are left the cluster, in a new history; or sets back the time of orders.

import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { result, resultJson } from '../output.js'
import { YES, confirm, repair, timeText } from '../repair/program.js'
import { say } from '../repair/texts.js'
import { Supervisor } from '../supervisor.js'
import { say as sayCommon } from '../texts.js'

interface Flags extends GlobalFlags {
  from?: string | undefined
  'set-time'?: string | undefined
  yes: boolean
}

interface FileState {
  readonly name: string
  readonly state: 'sound' | 'missing' | 'damaged' | 'foreign'
  readonly reason: string
  readonly last: number
  readonly common: number
}

interface Plan {
  readonly kept: string
  readonly last: number
  readonly time: number
  readonly files: readonly FileState[]
  readonly complete: boolean
}

interface Recovered extends Plan {
  readonly newHistoryId: string
  readonly before: string
}

function aboutFile({ name, state, reason, last, common }: FileState, plan: Plan): string {
  const count = last - common
  if (count > 0) return say('fileBeyond', { name, last, count, first: common + 1 })
  if (state !== 'sound') return say('fileUnfit', { name, reason })
  if (last < plan.last) return say('fileBehind', { name, last })
  return say('fileSame', { name, common })
}

function consequences(plan: Plan, time: number | null, dir: string): string[] {
  const { kept, last, files, complete } = plan
  const others = files.filter(({ name }) => name !== kept).map((file) => aboutFile(file, plan))
  const before = timeText(plan.time)
  return [
    say('keeps', { kept, last, time: before }),
    ...others,
    say(complete ? 'complete' : 'incomplete', { last }),
    ...(time === null ? [] : [say('setsTime', { time: timeText(time), before })]),
    say('recoverActs', { dir: join(dir, 'data') }),
  ]
}

function parseTime(text: string): number {
  const time = text === 'now' ? Date.now() : Date.parse(text)
  if (time > 0) return time
  throw new Failure(EXIT.usage, say('badTime', { time: text }))
}

export const recover: CommandModule<GlobalFlags, Flags> = {
  command: 'recover',
  describe: 'make intact files the cluster, after the loss of a majority; it must be stopped',
  builder: (yargs) =>
    yargs
      .option('from', {
        type: 'string',
        describe:
          'replicas whose files are right, s1 or s1,s3; the newest is kept (all sound ones)',
      })
      .option('set-time', {
        type: 'string',
        describe: 'orders go on at this time, where the log is ahead of it: a date, or now',
      })
      .option('yes', YES),
  async handler(flags) {
    const context = new Context(flags)
    const { dir } = context
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, sayCommon('noCluster', { dir }))
    if (new Supervisor(dir).running) throw new Failure(EXIT.failed, say('mustStop'))
    const wanted = flags['set-time']
    const time = wanted === undefined ? null : parseTime(wanted)
    const from = flags.from === undefined ? [] : ['--from', flags.from]
    const set = time === null ? [] : ['--set-time', String(time)]
    const args = ['--dir', dir, ...from, ...set]
    const plan = await repair<Plan>('recover', args)
    await confirm(consequences(plan, time, dir), flags.yes)
    const recovered = await repair<Recovered>('recover', [...args, '--act'])
    if (context.json) return resultJson(recovered)
    const { newHistoryId: historyId, before } = recovered
    result(say('recovered', { historyId, before }))
  },
}
