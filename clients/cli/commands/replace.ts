// troca replace s2: gives the slot of a dead machine, or of a stolen key, to a newcomer.

import type { CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, progress, result, resultJson } from '../output.js'
import { YES, confirm, repair } from '../repair/program.js'
import { tellAll } from '../repair/replicas.js'
import { awaitReplica } from '../repair/wait.js'
import { say } from '../repair/texts.js'
import { Supervisor } from '../supervisor.js'
import { say as sayCommon } from '../texts.js'

interface Flags extends GlobalFlags {
  name: string
  host?: string | undefined
  yes: boolean
}

interface Replaced {
  readonly name: string
  readonly generation: number
  readonly host: string
  readonly port: number
  readonly before: string | null
}

const CATCH_UP_S = 120

/** A newcomer of the persistence tier needs a majority of the others, which tell it what to hold. */
async function checkOthers(dir: string, name: string): Promise<void> {
  const stores = (await tellAll(dir)).filter((one) => one.name.startsWith('s'))
  if (!name.startsWith('s') || stores.length === 1) return
  const running = stores.filter((one) => one.name !== name && one.state === 'ready').length
  const needed = Math.floor(stores.length / 2) + 1
  if (running < needed)
    throw new Failure(EXIT.unreachable, say('replaceNeeds', { running, needed, name }))
}

export const replace: CommandModule<GlobalFlags, Flags> = {
  command: 'replace <name>',
  describe: 'a new certificate and an empty file for a dead replica; its old identity is refused',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true, describe: 'p1 ..., s1 ...' })
      .option('host', { type: 'string', describe: 'its new address' })
      .option('yes', YES),
  async handler(flags) {
    const context = new Context({ ...flags, timeout: flags.timeout ?? CATCH_UP_S })
    const { dir } = context
    const { name, host } = flags
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, sayCommon('noCluster', { dir }))
    await checkOthers(dir, name)
    await confirm([say('replaceActs', { name })], flags.yes)
    const supervisor = new Supervisor(dir)
    const here = (await supervisor.list()).some((one) => one.name === name) && host === undefined
    if (here) await supervisor.stopOne(name)
    const args = ['--dir', dir, '--name', name, ...(host === undefined ? [] : ['--host', host])]
    const replaced = await repair<Replaced>('replace', args)
    if (here) {
      progress(say('restarting', { name }))
      await supervisor.restartOne(name)
      await awaitReplica(context, name)
    }
    if (context.json) return resultJson({ ...replaced, joined: here })
    const { generation, port, before } = replaced
    if (before) note(say('replacedBefore', { before }))
    result(say('replaced', { name, generation, host: replaced.host, port }))
    result(here ? say('joined', { name }) : say('replacedNext', { name }))
  },
}
