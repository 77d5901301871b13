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
  host: {
    ...{ type: 'string', array: true, requiresArg: true },
    describe: 'address at which the replicas serve (127.0.0.1), or p1=ADDRESS for one of them',
  },
  machines: {
    ...{ type: 'string', conflicts: ['host', 'processing', 'persistence'] },
    describe: 'a,b,c: addresses, or NAME=ADDRESS; one replica of either tier on each',
  },
  plain: { type: 'boolean', describe: 'no TLS: for lessons, on loopback only' },
} as const satisfies Record<string, Options>

type Value = string | number | boolean

export type Shape = { [K in keyof typeof SHAPE]?: Value | readonly Value[] | undefined }

export function shapeArgs(flags: Shape): string[] {
  return (Object.keys(SHAPE) as (keyof Shape)[]).flatMap((name) => {
    const value = flags[name]
    if (value === undefined || value === false) return []
    if (value === true) return [`--${name}`]
    return [value].flat().flatMap((one) => [`--${name}`, String(one)])
  })
}
