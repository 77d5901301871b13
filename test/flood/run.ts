// npm run flood: a campaign against live daemons that it starts itself, on free ports of loopback.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ATTACKS, type AttackName } from './attacks.js'
import { Campaign } from './campaign.js'
import { lines } from './report.js'

const USAGE = `npm run flood -- [--seconds N] [--scale N] [--only NAME] [--json]

  --seconds  how long each of the ten phases lasts [20]
  --scale    share of the full size, 5,000 connections and the like [1]
  --only     one attack: ${Object.keys(ATTACKS).join(', ')}
  --json     the report for programs`

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  process.stderr.write(`flood: --${name} ${text}: a number above 0 is needed\n${USAGE}\n`)
  process.exit(2)
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(`${USAGE}\n`)
  process.exit(0)
}
const isAttack = (name: string): name is AttackName => name in ATTACKS
if (values.only !== undefined && !isAttack(values.only)) {
  process.stderr.write(`flood: --only ${values.only}: there is no such attack\n${USAGE}\n`)
  process.exit(2)
}
const plan = {
  ...(values.only && { only: [values.only] }),
  seconds: numberOf('seconds', values.seconds),
  scale: numberOf('scale', values.scale),
}

const directory = mkdtempSync(join(tmpdir(), 'troca-flood-'))
const endings: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
let passing = false
const owner = {
  testdir: () => directory,
  teardown: (ending: () => unknown) => void endings.unshift(ending),
  passing: () => passing,
}
try {
  const report = await Campaign.run(owner as never, plan, (phase) => {
    process.stderr.write(`${new Date().toISOString()} ${phase}\n`)
  })
  passing = report.faults.length === 0
  const plain = (_name: string, value: unknown): unknown =>
    value instanceof Map ? Object.fromEntries(value) : value
  const text = values.json ? JSON.stringify(report, plain) : lines(report).join('\n')
  process.stdout.write(`${text}\n`)
  process.exitCode = passing ? 0 : 1
} finally {
  for (const ending of endings) await ending()
}
