// The shape of a new cluster: flags that init and up share, and pass to the program init.

import type { Options } from 'yargs'

export const SHAPE = {
  processing: { type: 'number', describe: 'processing replicas (3)' },
  persistence: { type: 'number', describe: 'persistence replicas (3)' },
  'base-port': { type: 'number', describe: 'p1 gets the next port, s1 the 20th after p1 (7400)' },
  'key-bits': { type: 'number', describe: 'RSA bits of new accounts (3072)' },
  registration: {
    choices: ['open', 'invitation', 'closed'],
    describe: 'whether new accounts are open to all, by invitation, or closed (open)',
  },
  host: { type: 'string', describe: 'address at which the replicas serve (127.0.0.1)' },
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
