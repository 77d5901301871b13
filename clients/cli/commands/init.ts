// troca init: makes a cluster (certificates, configuration, empty databases) and starts nothing.
// With --renew: makes new certificates for an existing cluster, whether or not it runs.

import type { CommandModule } from 'yargs'
import { fingerprintsIn, noteAuthority } from '../authority.js'
import { initCluster, renewCertificates } from '../cluster.js'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { result, resultJson } from '../output.js'
import { EXIT, Failure } from '../failure.js'
import { say } from '../texts.js'
import { SHAPE, shapeArgs } from '../shape.js'
import type { Shape } from '../shape.js'

type Flags = GlobalFlags & Shape & { renew?: boolean | undefined }

export const init: CommandModule<GlobalFlags, Flags> = {
  command: 'init',
  describe: 'make a cluster: certificates, configuration, empty files; start nothing',
  builder: (yargs) =>
    yargs.options(SHAPE).option('renew', {
      ...{ type: 'boolean', conflicts: Object.keys(SHAPE) },
      describe: 'new certificates from the same authority; running replicas load them',
    }),
  async handler(flags) {
    const context = new Context(flags)
    if (flags.renew) {
      if (!hasCluster(context.dir)) {
        throw new Failure(EXIT.failed, say('noCluster', { dir: context.dir }))
      }
      const renewed = await renewCertificates(context.dir)
      if (context.json) return resultJson({ dir: context.dir, renewed })
      return result(say('renewed', { names: renewed.join(' ') }))
    }
    await initCluster(context.dir, shapeArgs(flags))
    const fingerprints = fingerprintsIn(context.dir)
    if (context.json) return resultJson({ dir: context.dir, fingerprints })
    result(context.dir)
    noteAuthority(fingerprints)
  },
}
