// Writes docs/METRICS.md from the rows that the daemons register. Without arguments it writes the
// file; test/daemons/observe/registry.test.ts compares it.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROWS } from '../daemons/observe/metrics.js'
import { histogramsOf, rowsOf } from '../daemons/observe/registry.js'
import type { Tier } from '../protocol/slots.js'

/** From dist/test/ back to the sources. */
export const METRICS_FILE = fileURLToPath(new URL('../../docs/METRICS.md', import.meta.url))

type Line = readonly [name: string, type: string, labels: string, help: string]

function table(lines: readonly Line[]): string[] {
  const rows = lines.map((cells) => `| ${cells.join(' | ')} |`)
  return ['', '| name | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows]
}

function rows(tier: Tier, wanted: (name: string) => boolean): Line[] {
  return Object.entries(rowsOf(tier))
    .filter(([name]) => wanted(name))
    .map(([name, { type, labels = [], help }]) => [`\`${name}\``, type, labels.join(' '), help])
}

const isShared = (name: string): boolean => name in ROWS

function ownOf(tier: Tier): string[] {
  const histograms = Object.entries(histogramsOf(tier)).map(([name, help]): Line => [
    `\`${name}\``,
    'histogram',
    '',
    help,
  ])
  return table([...rows(tier, (name) => !isShared(name)), ...histograms])
}

export function metricsDocument(): string {
  const lines = [
    '# Metrics',
    '',
    '<!-- Generated from the rows of the daemons by test/generate-metrics.ts. Do not edit. -->',
    '',
    'The debug port of each replica gives these metrics: `GET /metrics` for Prometheus, and the word',
    '`mntr` with a tab before each value. Counters begin at 0 when the process starts. `/metrics` also',
    'has the usual metrics of a process: `process_...` (CPU, files) and `nodejs_...` (heap, garbage',
    'collection, and `nodejs_eventloop_lag_seconds` with its percentiles).',
    '',
    '## Every replica',
    ...table(rows('processing', isShared)),
    '',
    '## Processing',
    ...ownOf('processing'),
    '',
    '## Persistence',
    ...ownOf('persistence'),
  ]
  return `${lines.join('\n')}\n`
}

export function checkedIn(): string {
  return readFileSync(METRICS_FILE, 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(METRICS_FILE, metricsDocument())
}
