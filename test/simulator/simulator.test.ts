// A fixed few minutes of the simulator: the first seeds of a campaign, the same course twice from
// one seed, and seeds that once failed. planted.test.ts has the planted bugs. More by hand:
// test/simulator/run.ts, hunt.ts.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { LOG_EVENTS } from './coverage/known.js'
import { commit } from './runner/commit.js'
import { planOf, type Plan } from './runner/plan.js'
import { failureText } from './runner/report.js'
import { failed, runPlan } from './runner/result.js'

// Needed where this file runs by itself, without tap's settings.
t.setTimeout(600_000)

const RUN = fileURLToPath(new URL('run.js', import.meta.url))

/** Runs the simulator in a process of its own; its exit code and output. */
function simulator(...words: string[]): { code: number; text: string } {
  try {
    const text = execFileSync(process.execPath, [RUN, ...words], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return { code: 0, text }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
    return { code: status, text: stdout + stderr }
  }
}

/** Seeds that once failed, each with the fault of that time. */
const ONCE_FAILED = [
  {
    plan: planOf(201_375, { workload: 'whole', processing: 3, persistence: 3, clients: 3 }),
    why: 'ACTIVE was lost, nobody wrote: the log of the new view was never committed',
  },
  {
    plan: planOf(1_398),
    why: 'FORWARD came twice: the second was refused, and the client told that it was not stored',
  },
  {
    plan: planOf(76),
    why: 'a view whose row was under way when it was given up was entered all the same',
  },
  {
    plan: planOf(378),
    why: 'nobody could register at a replica that did not coordinate: it weighed less for ever',
  },
  {
    plan: planOf(468),
    why: 'a coordinator was vouched for that nobody here could reach, and nobody was elected',
  },
  {
    plan: planOf(1_724),
    why: 'a voter and a learner were proposed again and again, while another voter was there',
  },
  {
    plan: planOf(3_233),
    why: 'a pull was served from what was not on disk, with a promise too low for it',
  },
  {
    plan: planOf(1_241),
    why: 'another feed was asked for amid a batch: a coordinator forgot the order under way, and stood still',
  },
  {
    plan: planOf(22_126),
    why: 'a coordinator that was asked to resign won again before the replica that had asked',
  },
  {
    plan: planOf(22_464),
    why: 'two incarnations of one file had one number: the file was never let in again',
  },
  {
    plan: planOf(30_083),
    why: 'a home between two views was kept for ever, while another could commit',
  },
  {
    plan: planOf(30_168),
    why: 'a file that does not know its incarnation yet was taken for incarnation 0',
  },
  {
    plan: planOf(30_978),
    why: 'whether an old answer was known depended on how far the feed had come: votes differed',
  },
  {
    plan: planOf(32_558),
    why: 'a TERM that a failed write took back still counted: FENCED by a term that never was',
  },
  {
    plan: planOf(33_738),
    why: 'a replica that came back to a full disk said for ever that it was full',
  },
  {
    plan: planOf(42_299),
    why: 'a coordinator that resigned for a claim was followed by another of too little weight',
  },
  {
    plan: planOf(50_704),
    why: 'COMMIT was lost and nobody wrote: a member never heard that its last entries were committed',
  },
  {
    plan: planOf(95_277),
    why: 'the checker forgot that a send to somebody else pushes the oldest one out of those kept',
  },
  {
    plan: planOf(284, { workload: 'whole' }),
    why: 'one read that failed at the source ended the installation of a view',
  },
  {
    plan: planOf(300_095),
    why: 'the checker counted messages of a connection that their receiver had just closed',
  },
  {
    plan: planOf(301_011),
    why: 'the checker dated messages that waited for a paused replica by its last step',
  },
  {
    plan: planOf(310_044),
    why: 'users forgot the code of an invitation that may have been there, and nobody else could join',
  },
  {
    plan: planOf(310_928, { workload: 'whole' }),
    why: 'computations for clients that had left weighed in a claim',
  },
  {
    plan: planOf(322_402, { workload: 'whole' }),
    why: 'requests outlived their client, and hearsay was believed for longer than it takes to link',
  },
  {
    plan: planOf(400_075, { workload: 'whole' }),
    why: 'leaving users tried again and again a password that had never come to count',
  },
  {
    plan: planOf(400_694, { workload: 'whole' }),
    why: 'a log-in waited four seconds where no store could answer, at one replica after the other',
  },
  {
    plan: planOf(510_922),
    why: 'the checker saw a pull that a view, given up in the same step, had asked for',
  },
  {
    plan: planOf(511_436),
    why: 'users stayed with a replica that was cut off alone, for as long as it refused them at once',
  },
  {
    plan: planOf(522_798),
    why: 'the checker missed that a view is given up for an own one whose promise is not on disk yet',
  },
  {
    plan: planOf(710_071, { workload: 'whole' }),
    why: 'a coordinator kept its lease by requests that it refused, while others needed an order',
  },
  {
    plan: planOf(802_883),
    why: 'users took a password that was wrong on purpose as a sign against their chosen ones',
  },
  {
    plan: planOf(810_420),
    why: 'the checker took requests that wait for the log for over five seconds for submitted or given up',
  },
  {
    plan: planOf(810_667),
    why: 'clients that came back again and again weighed nothing in between: replicas that no client reached led',
  },
  {
    plan: planOf(811_818),
    why: 'a write that was under way when a stuck disk was mended ended only when the disk would have',
  },
  {
    plan: planOf(901_879),
    why: 'a block list was looked up for a user who had logged out meanwhile, and shown as empty',
  },
  {
    plan: planOf(903_618),
    why: 'a core had ten seconds to serve, though its user was with replicas outside it for half of them',
  },
  {
    plan: planOf(1_003_516),
    why: 'a view was sought among the replicas that were not stuck, though too few of them reached each other',
  },
  {
    plan: planOf(1_006_094),
    why: 'a coordinator that heard few stores took all for full, refused everything and kept its lease by it',
  },
  {
    plan: planOf(1_203_887),
    why: 'a replica computed wrong bytes while the only other one still built its state: nobody could vote',
  },
] as const satisfies readonly { plan: Plan; why: string }[]

for (const { plan, why } of ONCE_FAILED) {
  t.test(`seed ${plan.seed}: ${why}`, async (t) => {
    const result = runPlan(plan)
    t.notOk(failed(result), failed(result) ? failureText(result, commit()) : '')
  })
}

t.test('the first seeds of a campaign pass', async (t) => {
  const seen = new Set<string>()
  let entries = 0
  for (let seed = 1; seed <= 90; seed++) {
    const plan = planOf(seed)
    const result = runPlan(plan)
    const { processing, persistence } = plan.sizes
    seen.add(plan.workload).add(plan.mode).add(`${processing} + ${persistence}`)
    entries += result.entries
    if (failed(result)) t.fail(failureText(result, commit()))
  }
  t.ok(entries > 10_000, `only ${entries} entries were committed`)
  for (const part of ['whole', 'persistence', 'beyond', '3 + 3', '5 + 5', '2 + 3', '1 + 1']) {
    t.ok(seen.has(part), `no seed is ${part}`)
  }
})

t.test('one seed has one course, in any process', async (t) => {
  const [first, second] = [runPlan(planOf(7)), runPlan(planOf(7))]
  t.equal(first.hash, second.hash)
  t.equal(first.events, second.events)
  t.not(runPlan(planOf(8)).hash, first.hash)
  t.match(simulator('--seed', '7').text, `hash ${first.hash.toString(16)}`)
})

t.test('a run with only its effective strikes has the same course', async (t) => {
  const plan = planOf(5)
  const whole = runPlan(plan)
  t.equal(runPlan({ ...plan, strikes: whole.strikes }).hash, whole.hash)
})

t.test('every log event of the machines has a name in coverage/known.ts', async (t) => {
  const folder = fileURLToPath(new URL('../../protocol', import.meta.url))
  const emitted = new Set<string>()
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js')) continue
    const source = readFileSync(join(folder, file), 'utf8')
    for (const [, event] of source.matchAll(/outbox\.log\('\w+', ['"]([\w-]+)/g)) {
      emitted.add(event!)
    }
  }
  for (const event of emitted) t.ok((LOG_EVENTS as readonly string[]).includes(event), event)
})

const WRONG = [
  ['--seeds', 'many'],
  ['--seed'],
  ['--trace'],
  ['--seed', '1', '--minutes', '2'],
  ['--workload', 'none'],
  ['--planted', 'none', '--seed', '1'],
  ['-x'],
]

t.test('wrong usage is one sentence and exit code 2', async (t) => {
  for (const words of WRONG) {
    const { code, text } = simulator(...words)
    t.equal(code, 2, words.join(' '))
    t.match(text, /^simulate: .+\n$/)
  }
})
