// Repair by people, for the commands of the same names; prints JSON.
//   node dist/daemons/repair.js backup --dir .troca --file F [--without-keys] [--committed s1=12 ...]
//   node dist/daemons/repair.js verify --file F
//   node dist/daemons/repair.js restore --dir .troca --file F
//   node dist/daemons/repair.js recover --dir .troca [--from s1,s2] [--set-time MS] [--act]
//   node dist/daemons/repair.js replace --dir .troca --name s2 [--host H]
//   node dist/daemons/repair.js log-level --dir .troca --name p1 --level debug
// Without --act, recover says what it would keep and lose, and changes nothing.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setLogLevel } from './provision/log-level.js'
import { makeBackup, verifyBackup } from './provision/backup.js'
import { readConfig } from './provision/config.js'
import { planRecovery, recoverCluster, whileStopped } from './provision/recover.js'
import { replaceReplica } from './provision/replace.js'
import { restore } from './provision/restore.js'

const OPTIONS = {
  dir: { type: 'string', default: '.troca' },
  file: { type: 'string', default: '' },
  'without-keys': { type: 'boolean', default: false },
  committed: { type: 'string', multiple: true, default: [] as string[] },
  from: { type: 'string', default: '' },
  'set-time': { type: 'string' },
  act: { type: 'boolean', default: false },
  name: { type: 'string', default: '' },
  host: { type: 'string' },
  level: { type: 'string', default: '' },
} as const

type Flags = ReturnType<typeof flagsOf>['values']

function flagsOf(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS })
}

const fileOf = ({ dir }: Flags): string => join(dir, 'cluster.yaml')

function backup(flags: Flags) {
  const committed = new Map(
    flags.committed.map((one) => {
      const [name = '', index] = one.split('=')
      return [name, Number(index)]
    }),
  )
  const plan = { out: flags.file, keys: !flags['without-keys'], committed }
  return makeBackup(readConfig(fileOf(flags), {}), fileOf(flags), plan)
}

function recover(flags: Flags) {
  const config = readConfig(fileOf(flags), {})
  const from = flags.from.split(',').filter(Boolean)
  const time = flags['set-time']
  const wish = { from, orderTime: time === undefined ? null : Number(time) }
  return whileStopped(config, () =>
    flags.act ? recoverCluster(config, fileOf(flags), wish) : planRecovery(config, wish),
  )
}

const COMMANDS: Readonly<Record<string, (flags: Flags) => Promise<object>>> = {
  backup,
  verify: ({ file }) => verifyBackup(file),
  restore: ({ file, dir }) => restore(file, dir),
  recover,
  replace: (flags) => replaceReplica(fileOf(flags), flags.name, flags.host),
  'log-level': (flags) => setLogLevel(fileOf(flags), flags.name, flags.level),
}

async function main(): Promise<void> {
  const [command = '', ...args] = process.argv.slice(2)
  const run = COMMANDS[command]
  if (!run) throw new Error(`the commands are ${Object.keys(COMMANDS).join(', ')}`)
  process.stdout.write(`${JSON.stringify(await run(flagsOf(args).values))}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
})
