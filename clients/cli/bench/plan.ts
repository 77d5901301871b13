// What a benchmark shall do, from the flags of `troca bench`.

import { EXIT, Failure } from '../failure.js'

/** Credit of a connection: more sends of one user are not on their way at a time. */
export const MAX_IN_FLIGHT = 256
const MAX_SIZE_BYTES = 64 * 1024
const MAX_USERS = 1_000

export interface BenchFlags {
  'in-flight': string
  size: number
  seconds: number
  'warm-up': number
  senders: number
  recipients: number
  consume: boolean
  report: boolean
  out?: string | undefined
}

export interface Plan {
  /** One phase for each: unanswered sends at a time, of all senders together. */
  readonly inFlight: readonly number[]
  readonly sizeBytes: number
  readonly seconds: number
  /** Seconds of load before each phase, which are not counted. */
  readonly warmUpSeconds: number
  readonly senders: number
  readonly recipients: number
  /** Each recipient listens, and acknowledges what it gets. */
  readonly consume: boolean
}

function wrong(what: string): Failure {
  return new Failure(EXIT.usage, what)
}

function whole(option: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw wrong(`--${option}: a whole number from 1 to ${most}`)
}

function inFlightOf(text: string, senders: number): number[] {
  const most = MAX_IN_FLIGHT * senders
  const numbers = text.split(',').map((one) => (/^\d+$/.test(one.trim()) ? Number(one) : 0))
  if (numbers.every((one) => one >= 1 && one <= most)) return numbers
  const with256 = `${MAX_IN_FLIGHT} for each sender`
  throw wrong(`--in-flight: whole numbers from 1 to ${most}, ${with256}, with commas between`)
}

export function planOf(flags: BenchFlags): Plan {
  const { seconds, 'warm-up': warmUpSeconds } = flags
  if (!(seconds > 0)) throw wrong('--seconds: a number above 0')
  if (!(warmUpSeconds >= 0)) throw wrong('--warm-up: a number of seconds, 0 or more')
  const senders = whole('senders', flags.senders, MAX_USERS)
  return {
    inFlight: inFlightOf(flags['in-flight'], senders),
    sizeBytes: whole('size', flags.size, MAX_SIZE_BYTES),
    ...{ seconds, warmUpSeconds, senders },
    recipients: whole('recipients', flags.recipients, MAX_USERS),
    consume: flags.consume,
  }
}
