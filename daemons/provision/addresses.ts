// Where each replica of the cluster file is: `host`, which others dial; `listen`, which it binds,
// `host` by default; and the machine that runs it, by default named after its host.

import { isIP } from 'node:net'
import { MAX_SLOTS } from '../../protocol/schema/shared.js'
import { bareHost, hostPort, isEveryAddress, isLoopback } from '../../protocol/host.js'
import type { Tier } from '../../protocol/slots.js'
import type { Address } from '../net/dialler.js'
import type { Replica } from '../net/identity.js'
import type { Checker } from './config-checker.js'

export interface ReplicaAddress extends Required<Replica>, Address {
  /** Host that the replica binds. */
  readonly listen: string
  readonly machine: string
  readonly debugHost: string
  readonly debugPort: number
}

const NAME = /^[\w-]+(\.[\w-]+)*\.?$/
const NUMBERS = /^[\d.]+$/
const MACHINE = /^[\w.:-]{1,253}$/
const NOTHING = /(?!)/
const A_HOST = 'a host name or address, such as s1.example, 10.0.0.1 or "::1"'

function isHost(text: string): boolean {
  if (isIP(text) > 0) return !text.includes('%')
  return text.length <= 253 && NAME.test(text) && !NUMBERS.test(text)
}

/** Reads a host, and takes the brackets of IPv6 off. */
export function readHost(check: Checker, value: unknown, path: string): string {
  const text = typeof value === 'string' ? bareHost(value) : ''
  return isHost(text) ? text : check.text(value, path, NOTHING, A_HOST)
}

export function readTier(
  check: Checker,
  value: unknown,
  role: Tier,
  everyDebugHost: string,
): ReplicaAddress[] {
  const path = `replicas.${role}`
  const names = [
    ...['slot', 'generation', 'machine', 'host', 'listen', 'port', 'debugHost', 'debugPort'],
  ]
  const replicas = check.list(value, path, 1, MAX_SLOTS).map((one, i) => {
    const at = `${path}[${i}]`
    const given = check.object(one, at, names)
    const host = readHost(check, given['host'], `${at}.host`)
    if (isEveryAddress(host)) {
      const needed = `the address that others dial; ${host} may be its listen`
      check.problem(`${at}.host`, host, needed)
    }
    const orHost = (name: string, otherwise: string): string =>
      given[name] === undefined ? otherwise : readHost(check, given[name], `${at}.${name}`)
    const { machine = host || 'unknown' } = given
    return {
      role,
      slot: check.integer(given['slot'], `${at}.slot`, 1, MAX_SLOTS),
      generation: check.integer(given['generation'] ?? 1, `${at}.generation`, 1, 2 ** 31),
      machine: check.text(machine, `${at}.machine`, MACHINE, 'a name of A-Z a-z 0-9 . : _ -'),
      host,
      listen: orHost('listen', host),
      port: check.integer(given['port'], `${at}.port`, 1, 65_535),
      debugHost: orHost('debugHost', everyDebugHost),
      debugPort: check.integer(given['debugPort'], `${at}.debugPort`, 1, 65_535),
    }
  })
  const slots = replicas.map(({ slot }) => slot).sort((a, b) => a - b)
  if (slots.some((slot, i) => slot !== i + 1)) {
    check.problem(path, `slots ${slots.join(', ')}`, `1 ... ${slots.length}, each once`)
  }
  if (role === 'persistence' && replicas.length % 2 === 0 && replicas.length > 0) {
    const why = 'an odd number of replicas: one more of an even number survives no more failures'
    check.problem(path, String(replicas.length), why)
  }
  return replicas
}

interface Bound {
  readonly name: string
  readonly host: string
}

/** Whether two programs of one machine cannot listen on the same port of these hosts. */
function collide(a: string, b: string): boolean {
  return a === b || isEveryAddress(a) || isEveryAddress(b)
}

export function checkAddresses(
  check: Checker,
  replicas: readonly ReplicaAddress[],
  tls: boolean,
): void {
  const dialled = new Map<string, string>()
  const bound = new Map<string, Bound[]>()
  const bind = (name: string, machine: string, host: string, port: number): void => {
    const others = bound.get(`${machine} ${port}`) ?? []
    const other = others.find((one) => collide(one.host, host))
    const at = hostPort(host, port)
    if (other) check.problem(name, `${at}, which ${other.name} has too`, 'an address of its own')
    bound.set(`${machine} ${port}`, [...others, { name, host }])
  }
  for (const { role, slot, machine, host, listen, port, debugHost, debugPort } of replicas) {
    const name = `${role} ${slot}`
    if (!tls) {
      for (const [what, one] of Object.entries({ host, listen })) {
        if (one === '' || isLoopback(one) || (what === 'listen' && listen === host)) continue
        const needed = 'a loopback address, as tls is off; or tls: on'
        check.problem(`${name}.${what}`, one, needed)
      }
    }
    const at = hostPort(host, port)
    const other = dialled.get(at)
    if (other) check.problem(name, `${at}, which ${other} has too`, 'an address of its own')
    else bind(name, machine, listen, port)
    dialled.set(at, name)
    bind(name, machine, debugHost, debugPort)
  }
}
