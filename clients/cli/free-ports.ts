// Ports that nobody listens on just now.

import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'

export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const servers: Server[] = []
  // All are held until the last is found, so that none is named twice.
  for (let i = 0; i < count; i++) {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, host, resolve)
    })
    servers.push(server)
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Arguments for init: a place for every replica that nothing else uses. */
export async function useFreePorts(): Promise<string[]> {
  const ports = await freePorts(12)
  return ['--ports', ports.join(',')]
}
