// npm run flood: starts daemons on free loopback ports and runs a flood campaign against them.

import { parseArgs } from 'node:util'
import { Command } from '../system/campaign.js'
import { ATTACKS, type AttackName } from './attacks.js'
import { Campaign } from './campaign.js'
import { lines } from './report.js'

const USAGE = `npm run flood -- [--seconds N] [--scale N] [--only NAME] [--json]

  --seconds  how long each of the ten phases lasts [20]
  --scale    share of the full size, 5,000 connections and the like [1]
  --only     one attack: ${Object.keys(ATTACKS).join(', ')}
  --json     the report for programs`

const command = new Command('flood', USAGE)
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) command.help()
const isAttack = (name: string): name is AttackName => name in ATTACKS
if (values.only !== undefined && !isAttack(values.only)) {
  command.wrong(`--only ${values.only}: there is no such attack`)
}
const plan = {
  ...(values.only && { only: [values.only as AttackName] }),
  seconds: command.positive('seconds', values.seconds),
  scale: command.positive('scale', values.scale),
}

await command.carryOut(async (owner) => {
  const report = await Campaign.run(owner, plan, (phase) => {
    process.stderr.write(`${new Date().toISOString()} ${phase}\n`)
  })
  const plain = (_name: string, value: unknown): unknown =>
    value instanceof Map ? Object.fromEntries(value) : value
  const text = values.json ? JSON.stringify(report, plain) : lines(report).join('\n')
  process.stdout.write(`${text}\n`)
  return report.faults.length === 0
})
