// The simulator's command line, checked: an error is one sentence, with exit code 2.

import { availableParallelism } from 'node:os'
import yargs, { type Argv } from 'yargs'
import type { Mode } from '../simulation.js'
import { WORKLOADS } from '../workload/choice.js'
import type { Wishes } from './plan.js'

const MODES: readonly Mode[] = ['usual', 'beyond']

/** Wrong usage, in one sentence. */
export class Usage extends Error {}

export function usage(parser: Argv): Argv {
  return parser
    .parserConfiguration({ 'parse-numbers': false })
    .version(false)
    .strict()
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error ?? new Usage(message ?? 'wrong usage')
    })
}

/** A coercion for options that count something. */
export function wholeNumber(name: string, low: number, high = Number.MAX_SAFE_INTEGER) {
  return (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (text !== '' && Number.isInteger(value) && value >= low && value <= high) return value
    const bounds = high < 1_000 ? `${low} to ${high}` : `${low} or more`
    throw new Usage(`--${name} is a whole number, ${bounds}; not "${text}"`)
  }
}

function minutes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text !== '' && Number.isFinite(value) && value > 0) return value
  throw new Usage(`--minutes is a number above 0; not "${text}"`)
}

function oneOf<T extends string>(name: string, text: string | undefined, all: readonly T[]) {
  if (text === undefined) return undefined
  const known = all.find((one) => one === text)
  if (known !== undefined) return known
  throw new Usage(`--${name} is one of ${all.join(', ')}; not "${text}"`)
}

export const THREADS = { type: 'string', describe: 'threads [all cores]' } as const
export const threadsOf = (text: string | undefined): number =>
  wholeNumber('threads', 1, 256)(text) ?? availableParallelism()

export interface Arguments {
  readonly wishes: Wishes
  readonly seed: number | undefined
  readonly first: number
  readonly seeds: number | undefined
  readonly minutes: number | undefined
  readonly threads: number
  readonly trace: 'no' | 'usual' | 'all'
  readonly shrink: boolean
  readonly planted: string | undefined
  readonly keepGoing: boolean
  readonly json: boolean
}

function traceOf(text: string | undefined): Arguments['trace'] {
  if (text === undefined) return 'no'
  if (text === '') return 'usual'
  if (text === 'all') return 'all'
  throw new Usage(`--trace, or --trace=all with heartbeats; not "${text}"`)
}

/** The arguments; null: help was asked for and has been printed. */
export function readArguments(words: readonly string[]): Arguments | null {
  const text = { type: 'string' } as const
  const values = usage(
    yargs([...words])
      .scriptName('npm run simulate --')
      .usage('$0 [options]'),
  )
    .options({
      minutes: { ...text, describe: 'run one seed after another for so many minutes' },
      seeds: { ...text, describe: 'run so many seeds' },
      first: { ...text, describe: 'the first seed [1]' },
      seed: { ...text, describe: 'run this seed alone' },
      trace: { ...text, describe: 'print its transcript; =all: with heartbeats' },
      shrink: { type: 'boolean', default: false, describe: 'find a smaller run that fails' },
      workload: { ...text, describe: "in place of the seed's choice" },
      mode: { ...text, describe: "in place of the seed's choice" },
      processing: { ...text, describe: "number of replicas, in place of the seed's choice" },
      persistence: { ...text, describe: "number of replicas, in place of the seed's choice" },
      clients: { ...text, describe: "in place of the seed's choice" },
      strikes: { ...text, describe: 'only these faults, e.g. "crash#3 reset#1"' },
      'storm-ms': { ...text, describe: 'duration of the faults, virtual milliseconds' },
      planted: { ...text, describe: 'plant the bug of this name' },
      threads: THREADS,
      'keep-going': { type: 'boolean', default: false, describe: 'go on after a seed that fails' },
      json: { type: 'boolean', default: false, describe: 'the summary as JSON' },
    })
    .parseSync()
  if ('help' in values) return null
  const { seed, strikes, shrink, planted, keepGoing, json } = values
  const trace = traceOf(values.trace)
  const many = [values.minutes, values.seeds, values.first].some((value) => value !== undefined)
  if (seed === undefined && (trace !== 'no' || shrink)) {
    throw new Usage(`--${shrink ? 'shrink' : 'trace'} needs --seed`)
  }
  if (seed !== undefined && many)
    throw new Usage('--seed is one seed: no --minutes, --seeds, --first')
  return {
    wishes: {
      workload: oneOf('workload', values.workload, WORKLOADS),
      mode: oneOf('mode', values.mode, MODES),
      processing: wholeNumber('processing', 1, 9)(values.processing),
      persistence: wholeNumber('persistence', 1, 9)(values.persistence),
      clients: wholeNumber('clients', 1, 99)(values.clients),
      strikes: strikes?.split(/[\s,]+/).filter((name) => name !== ''),
      stormMs: wholeNumber('storm-ms', 0)(values['storm-ms']),
    },
    seed: wholeNumber('seed', 0)(seed),
    first: wholeNumber('first', 0)(values.first) ?? 1,
    seeds: wholeNumber('seeds', 1)(values.seeds),
    minutes: minutes(values.minutes),
    threads: threadsOf(values.threads),
    ...{ trace, shrink, planted, keepGoing, json },
  }
}
