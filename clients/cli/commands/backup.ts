// troca backup FILE: a copy of the committed log, whether or not the cluster runs. With --verify: audits
// one.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { parse } from 'yaml'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, result, resultJson } from '../output.js'
import { repair, timeText } from '../repair/program.js'
import { tellAll } from '../repair/replicas.js'
import { say } from '../repair/texts.js'
import { say as sayCommon } from '../texts.js'

interface Flags extends GlobalFlags {
  file: string
  'without-keys': boolean
  verify: boolean
}

export interface Manifest {
  readonly clusterId: string
  readonly historyId: string
  readonly index: number
  readonly time: number
  readonly made: number
  readonly keys: boolean
}

interface Made extends Manifest {
  readonly file: string
  readonly from: string
  readonly unfit: readonly string[]
}

export function describe(file: string, { keys, time, made, ...manifest }: Manifest): string {
  const values = { ...manifest, file, time: timeText(time), made: timeText(made) }
  return say('verified', { ...values, keys: say(keys ? 'withKeys' : 'withoutKeys') })
}

async function verify(context: Context, file: string): Promise<void> {
  const { dir } = context
  const manifest = await repair<Manifest>('verify', ['--file', file])
  if (context.json) return resultJson(manifest)
  result(describe(file, manifest))
  const config = join(dir, 'cluster.yaml')
  if (!existsSync(config)) return
  const own = parse(readFileSync(config, 'utf8')) as Partial<Manifest>
  const same = own.clusterId === manifest.clusterId
  const { historyId = 'first' } = own
  if (!same) note(say('ofAnother', { dir }))
  else note(say(historyId === manifest.historyId ? 'ofThis' : 'ofEarlier', { dir }))
}

async function make(context: Context, file: string, withoutKeys: boolean): Promise<void> {
  const { dir } = context
  if (!hasCluster(dir)) throw new Failure(EXIT.failed, sayCommon('noCluster', { dir }))
  const stores = (await tellAll(dir)).filter(({ name, state }) => name.startsWith('s') && state)
  const committed = stores.flatMap(({ name, committed: index }) => [
    '--committed',
    `${name}=${index}`,
  ])
  const keys = withoutKeys ? ['--without-keys'] : []
  const made = await repair<Made>('backup', ['--dir', dir, '--file', file, ...committed, ...keys])
  if (context.json) return resultJson(made)
  for (const reason of made.unfit) note(say('unfit', { reason }))
  const values = { file: made.file, index: made.index, from: made.from, time: timeText(made.time) }
  result(say('backedUp', { ...values, keys: say(made.keys ? 'withKeys' : 'withoutKeys') }))
}

export const backup: CommandModule<GlobalFlags, Flags> = {
  command: 'backup <file>',
  describe: 'copy the committed log, the configuration and the keys into one file',
  builder: (yargs) =>
    yargs
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'a tar; not overwritten',
      })
      .option('without-keys', {
        ...{ type: 'boolean', default: false },
        describe: 'leave out certificates and private keys',
      })
      .option('verify', {
        ...{ type: 'boolean', default: false },
        describe: 'audit this backup instead of making one',
      }),
  handler(flags) {
    const context = new Context(flags)
    const file = resolve(flags.file)
    return flags.verify ? verify(context, file) : make(context, file, flags['without-keys'])
  },
}
