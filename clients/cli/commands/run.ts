// troca run p1: one replica in the foreground, as this very process. Signals, exit codes and output
// are the replica's: for a container, or a supervisor of one's own.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CommandModule } from 'yargs'
import { hasCluster, replicasOf } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { namesOf } from '../machine.js'
import { daemonProgram, forgetSecrets } from '../programs.js'
import { say } from '../texts.js'
import { sayMachine } from '../machine-texts.js'

interface Flags extends GlobalFlags {
  replica: string
}

export const runReplica: CommandModule<GlobalFlags, Flags> = {
  command: 'run <replica>',
  describe: 'run one replica (p1, s1 ...) in the foreground, until SIGTERM or SIGINT',
  builder: (yargs) =>
    yargs.positional('replica', { type: 'string', demandOption: true, describe: 'p1, s1 ...' }),
  async handler({ replica: name, ...flags }) {
    const { dir } = new Context(flags)
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, say('noCluster', { dir }))
    const replicas = replicasOf(dir)
    if (!replicas.some((one) => one.name === name)) {
      const facts = { name, names: namesOf(replicas) }
      throw new Failure(EXIT.usage, sayMachine('noSuchReplica', facts))
    }
    const program = daemonProgram(name.startsWith('p') ? 'processing' : 'persistence')
    forgetSecrets()
    process.setSourceMapsEnabled(true)
    const args = ['--config', join(dir, 'cluster.yaml'), '--slot', name.slice(1)]
    process.argv.splice(1, process.argv.length, program, ...args)
    await import(pathToFileURL(program).href)
  },
}
