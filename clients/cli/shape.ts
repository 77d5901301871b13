// The shape of a cluster about to be made: flags that init and up share, handed to init's program.

import type { Options } from 'yargs'

export const SHAPE = {
  processing: { type: 'number', describe: 'processing replicas (3)' },
  persistence: { type: 'number', describe: 'persistence replicas (3)' },
  'base-port': { type: 'number', describe: 'p1 at the next one, s1 20 after that (7400)' },
  'key-bits': { type: 'number', describe: 'RSA bits of new accounts (3072)' },
  registration: {
    choices: ['open', 'invitation', 'closed'],
    describe: 'who may make an account (open)',
  },
  host: { type: 'string', describe: 'where the replicas serve (127.0.0.1)' },
  plain: { type: 'boolean', describe: 'no TLS: for lessons, on loopback only' },
} as const satisfies Record<string, Options>

export type Shape = { [K in keyof typeof SHAPE]?: string | number | boolean | undefined }

export function shapeArgs(flags: Shape): string[] {
  return (Object.keys(SHAPE) as (keyof Shape)[]).flatMap((name) => {
    const value = flags[name]
    if (value === undefined || value === false) return []
    return value === true ? [`--${name}`] : [`--${name}`, String(value)]
  })
}
