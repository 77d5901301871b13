// Finds a base port after which all ports that a cluster takes are free.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Above the well-known ports, below those that systems lend to outgoing connections. */
const LOWEST = 10_000
const HIGHEST = 32_000
/**
 * Ports of a cluster: a replica and a debug port for each of nine slots in two tiers, and spare.
 */
const SPAN = 40
const TRIES = 100

/** False if another program has the port; a host that is not this machine's is another's matter. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'EADDRINUSE' && code !== 'EACCES')
    })
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

export async function freeBasePort(host = '127.0.0.1'): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const base = randomInt(LOWEST, HIGHEST)
    const ports = Array.from({ length: SPAN }, (_, offset) => base + 1 + offset)
    const free = await Promise.all(ports.map((port) => isFree(host, port)))
    if (free.every(Boolean)) return base
  }
  throw new Error(`no ${SPAN} free ports in a row between ${LOWEST} and ${HIGHEST}`)
}
