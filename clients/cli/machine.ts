// Which replicas of the cluster are this machine's: those that --machine names, or the file
// `machine` in the folder, which a bundle brings, or else those whose host or listen is an address
// of this machine. On loopback all are.

import { lookup } from 'node:dns/promises'
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Options } from 'yargs'
import { isLoopback } from '../../protocol/host.js'
import { replicasOf, type ReplicaPorts } from './cluster-file.js'
import type { Context, GlobalFlags } from './context.js'
import { EXIT, Failure } from './failure.js'
import { note } from './output.js'
import { sayMachine } from './machine-texts.js'

/** The file that names the machine of a folder. */
export const MACHINE_FILE = 'machine'

export const MACHINE = {
  type: 'string',
  describe: 'act for the replicas of this machine of cluster.yaml (TROCA_MACHINE)',
} as const satisfies Options

export interface MachineFlags extends GlobalFlags {
  machine?: string | undefined
}

export interface Here {
  /** Names of this machine, as the cluster file has them. */
  readonly machine: string
  readonly own: readonly ReplicaPorts[]
  readonly others: readonly ReplicaPorts[]
}

function machinesOf(replicas: readonly ReplicaPorts[]): string[] {
  return [...new Set(replicas.map(({ machine }) => machine))]
}

export function namesOf(replicas: readonly ReplicaPorts[]): string {
  return replicas.map(({ name }) => name).join(' ')
}

/** The replicas whose names are in `wanted`, as `--machine` chooses them. */
function split(replicas: readonly ReplicaPorts[], wanted: readonly string[]): Here {
  const isOwn = ({ machine }: ReplicaPorts): boolean => wanted.includes(machine)
  const own = replicas.filter(isOwn)
  return { machine: wanted.join(' '), own, others: replicas.filter((one) => !isOwn(one)) }
}

async function isLocal(host: string): Promise<boolean> {
  if (isLoopback(host)) return true
  const own = new Set(Object.values(networkInterfaces()).flatMap((all = []) => all.map(addressOf)))
  if (isIP(host) > 0) return own.has(host.toLowerCase())
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.some(({ address }) => own.has(address.toLowerCase()) || isLoopback(address))
}

const addressOf = ({ address }: { address: string }): string => address.toLowerCase()

/** The machine that the flag, the environment or the folder names; undefined: none of them. */
function named(context: Context, flag: string | undefined): string | undefined {
  const file = join(context.dir, MACHINE_FILE)
  const written = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  return flag || process.env['TROCA_MACHINE'] || written || undefined
}

/** Fails if no replica is this machine's. */
export async function findHere(context: Context, flag: string | undefined): Promise<Here> {
  const replicas = replicasOf(context.dir)
  const machines = machinesOf(replicas)
  const name = named(context, flag)
  if (name !== undefined) {
    const here = split(replicas, [name])
    if (here.own.length > 0) return here
    const facts = { machine: name, machines: machines.join(', ') }
    throw new Failure(EXIT.usage, sayMachine('noSuchMachine', facts))
  }
  const local = await Promise.all(
    replicas.map(async ({ host, listen }) => (await isLocal(host)) || isLocal(listen)),
  )
  const own = machinesOf(replicas.filter((_, i) => local[i]))
  if (own.length > 0) return split(replicas, own)
  throw new Failure(EXIT.usage, sayMachine('whichMachine', { machines: machines.join(', ') }))
}

/** Says which machine a command speaks for, if there are others. */
export function noteMachine({ machine, own, others }: Here): void {
  if (others.length === 0) return
  note(sayMachine('speaksFor', { machine, own: namesOf(own), others: namesOf(others) }))
}
