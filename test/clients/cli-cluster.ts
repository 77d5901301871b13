// The program troca, and the folder of a cluster whose only server is scripted.

import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { The } from '../../protocol/messages/catalogue.js'
import { FakeServer } from './fake-server.js'
import type { Script } from './fake-server.js'

export const MAIN = join(dirname(fileURLToPath(import.meta.url)), '../../clients/cli/main.js')

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running extends Promise<Ended> {
  interrupt(): void
}

export function troca(
  dir: string,
  args: string[],
  stdin: string | Buffer = '',
  env: Record<string, string> = {},
): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], LANG: 'C', TROCA_DIR: dir, ...env },
  })
  const ended: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (ended.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (ended.stderr += String(chunk)))
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const done = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ ...ended, code }))
  })
  return Object.assign(done, { interrupt: () => void child.kill('SIGINT') })
}

type Replica = The<'STATUS_IS'>['replicas'][number]

const replica = (tier: Replica['tier'], slot: number, reachable: boolean): Replica => {
  const position = { term: 1, epochSlot: 1, last: 9, committed: 9, lamport: 12, age: 0 }
  return { tier, slot, reachable, role: 'follower', ...position }
}

function statusOf(request: number, stores: boolean[]): The<'STATUS_IS'> {
  return {
    type: 'STATUS_IS',
    request,
    clusterId: 'troca-test',
    coordinator: 1,
    term: 1,
    replicas: [
      replica('processing', 1, true),
      ...stores.map((up, i) => replica('persistence', i + 1, up)),
    ],
    needed: 2,
    ready: stores.filter(Boolean).length >= 2,
  }
}

export async function cluster(
  test: { testdir(): string; teardown(end: () => void): void },
  stores: boolean[],
  script: Script,
): Promise<{ dir: string; server: FakeServer }> {
  const dir = test.testdir()
  const server = await new FakeServer().start()
  test.teardown(() => server.kill())
  server.scripted.add('STATUS')
  server.script = (message, peer) => {
    if (message.type === 'STATUS') peer.say(statusOf(message.request, stores))
    else script(message, peer)
  }
  const file = { clusterId: 'troca-test', tls: false, servers: [server.address], needed: 2 }
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'client.json'), JSON.stringify(file))
  return { dir, server }
}

export const ALL = [true, true, true]
export const receipts: Script = (message, peer) => {
  if (message.type === 'SEND') peer.receipt(message)
}
