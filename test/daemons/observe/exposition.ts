// Parses an exposition with Prometheus's own parser, in Debian's python3-prometheus-client.

import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PYTHON = '/usr/bin/python3'
/** Path of the Python script, which is not built, from dist back to the sources. */
const PARSER = fileURLToPath(
  new URL('../../../../test/daemons/observe/parse-exposition.py', import.meta.url),
)

export interface Family {
  /** Name without _total. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'unknown'
  readonly help: string
  readonly samples: readonly {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number | null
  }[]
}

const { status } = spawnSync(PYTHON, ['-c', 'import prometheus_client.parser'])
/** Value of a test's `skip`: a reason if the parser is not installed. */
export const skipWithoutParser =
  status === 0 ? false : 'python3-prometheus-client is not installed: nothing to parse with'

/** The parsed families; throws if the parser refuses the text. */
export function parseExposition(text: string): Family[] {
  const out = execFileSync(PYTHON, [PARSER], { input: text, encoding: 'utf8', stdio: 'pipe' })
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Family)
}
