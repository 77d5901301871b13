// troca bundle: writes what one machine needs, or a client, as an archive; troca join lays it out.

import { chmodSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { fingerprintsIn, noteAuthority } from '../authority.js'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, result, resultJson } from '../output.js'
import { daemonProgram, run } from '../programs.js'
import { say } from '../texts.js'
import { sayMachine } from '../machine-texts.js'

interface Flags extends GlobalFlags {
  name?: string | undefined
  client?: boolean | undefined
  out?: string | undefined
}

interface Bundled {
  readonly file: string
  readonly replicas: readonly string[]
  readonly stores: readonly string[]
}

export const bundle: CommandModule<GlobalFlags, Flags> = {
  command: 'bundle [name]',
  describe: 'write what the machine NAME needs, its keys included, as one archive',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'a machine of cluster.yaml' })
      .option('client', {
        ...{ type: 'boolean', conflicts: 'name' },
        describe: 'what a client needs instead: addresses and authority, no secret',
      })
      .option('out', { type: 'string', describe: 'the archive (troca-NAME.tar.gz)' }),
  async handler(flags) {
    const context = new Context(flags)
    const { dir, json } = context
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, say('noCluster', { dir }))
    const { name, client } = flags
    if (!name && !client) throw new Failure(EXIT.usage, sayMachine('bundleWhat'))
    const short = (name ?? 'client').replace(/[^\w.-]+/g, '-')
    const out = resolve(flags.out ?? `troca-${short}.tar.gz`)
    const what = name ? ['--machine', name] : ['--client']
    const args = ['--dir', dir, '--out', out, '--json', ...what]
    const ended = await run(daemonProgram('bundle'), args)
    if (ended.code !== 0) throw new Failure(EXIT.failed, ended.stderr.trim())
    const made = JSON.parse(ended.stdout) as Bundled
    if (client) chmodSync(made.file, 0o644)
    const fingerprints = fingerprintsIn(dir)
    if (json) return resultJson({ ...made, machine: name ?? null, fingerprints })
    const facts = { file: made.file, machine: name ?? '', names: made.replicas.join(' ') }
    result(sayMachine(client ? 'bundledClient' : 'bundled', facts))
    const without = made.replicas.filter((one) => one.startsWith('s') && !made.stores.includes(one))
    if (without.length > 0) note(sayMachine('bundledLearner', { names: without.join(' ') }))
    noteAuthority(fingerprints)
  },
}
