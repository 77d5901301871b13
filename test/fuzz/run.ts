// npm run fuzz: a campaign against live daemons that it starts itself, on free ports of loopback.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Campaign } from './live/campaign.js'
import { lines } from './live/report.js'

const USAGE = `npm run fuzz -- [--seed N] [--frames N] [--minutes N]

  --seed     what the frames are made from [1]
  --frames   so many in all [1000000]
  --minutes  at the most [60]`

function countOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  process.stderr.write(`fuzz: --${name} ${text}: a number above 0 is needed\n${USAGE}\n`)
  process.exit(2)
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    frames: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(`${USAGE}\n`)
  process.exit(0)
}
const plan = {
  seed: countOf('seed', values.seed),
  frames: countOf('frames', values.frames),
  minutes: countOf('minutes', values.minutes),
}

const directory = mkdtempSync(join(tmpdir(), 'troca-fuzz-'))
const endings: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
let passing = false
const owner = {
  testdir: () => directory,
  teardown: (ending: () => unknown) => void endings.unshift(ending),
  passing: () => passing,
}
try {
  let said = ''
  const report = await Campaign.run(owner as never, plan, (line) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${line}`)
    said = line
  })
  process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${said}\n`)
  passing = report.faults.length === 0
  process.stdout.write(`${lines(plan, report).join('\n')}\n`)
  process.exitCode = passing ? 0 : 1
} finally {
  for (const ending of endings) await ending()
}
