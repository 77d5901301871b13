// A campaign: one seed after another, on all cores, with progress on stderr. Ctrl-C ends it with
// the summary so far.

import type { Arguments } from './arguments.js'
import { commit } from './commit.js'
import { planOf } from './plan.js'
import { spread, type Task } from './pool.js'
import { failureText, summaryJson, summaryText } from './report.js'
import { failed } from './result.js'
import { Tally } from './tally.js'

/** Seconds between two lines of progress where stderr is no terminal. */
const LINE_EVERY_S = 30

class Progress {
  #lineAt = LINE_EVERY_S

  show(tally: Tally): void {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${tally.progress}`)
    } else if (tally.seconds >= this.#lineAt) {
      this.#lineAt = tally.seconds + LINE_EVERY_S
      process.stderr.write(`${tally.progress}\n`)
    }
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

/** `planted`: folder of machines with a planted bug. False: a seed failed. */
export async function campaign(values: Arguments, planted?: string): Promise<boolean> {
  const { first, seeds = Infinity, minutes = Infinity, threads, json } = values
  const tally = new Tally()
  const progress = new Progress()
  const stop = new AbortController()
  const version = commit()
  let seed = first
  const next = (): Task | undefined => {
    if (seed >= first + seeds || tally.seconds >= minutes * 60) return undefined
    const plan = planOf(seed++, values.wishes)
    return planted === undefined ? { plan } : { plan, planted }
  }
  process.once('SIGINT', () => stop.abort())
  await spread(
    threads,
    next,
    (result) => {
      tally.add(result)
      if (failed(result)) {
        progress.clear()
        process.stderr.write(`${failureText(result, version, values.planted)}\n`)
        if (!values.keepGoing) stop.abort()
      }
      progress.show(tally)
    },
    stop.signal,
  )
  progress.clear()
  console.log(json ? summaryJson(tally, version) : summaryText(tally))
  return tally.failures.length === 0
}
