// npm run fuzz: starts daemons on free loopback ports and runs a fuzz campaign against them.

import { parseArgs } from 'node:util'
import { Command } from '../system/campaign.js'
import { Campaign } from './live/campaign.js'
import { lines } from './live/report.js'

const USAGE = `npm run fuzz -- [--seed N] [--frames N] [--minutes N]

  --seed     seed of the frames [1]
  --frames   number of frames in all [1000000]
  --minutes  longest duration [60]`

/** Interval of progress lines when stderr is no terminal. */
const PROGRESS_MS = 10_000

const command = new Command('fuzz', USAGE)
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    frames: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) command.help()
const plan = {
  seed: command.positive('seed', values.seed),
  frames: command.positive('frames', values.frames),
  minutes: command.positive('minutes', values.minutes),
}

await command.carryOut(async (owner) => {
  let said = ''
  let next = 0
  const report = await Campaign.run(owner, plan, (line) => {
    said = line
    const now = performance.now()
    if (process.stderr.isTTY) process.stderr.write(`\r${line}`)
    else if (now >= next) {
      process.stderr.write(`${line}\n`)
      next = now + PROGRESS_MS
    }
  })
  process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${said}\n`)
  process.stdout.write(`${lines(plan, report).join('\n')}\n`)
  return report.faults.length === 0
})
