// troca doctor: checks everything that can be wrong, and says what is so and what to do next.

import type { CommandModule } from 'yargs'
import { hasCluster } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { askStatuses, checkElsewhere, unseen } from '../doctor/elsewhere.js'
import type { Finding, Verdict } from '../doctor/finding.js'
import {
  checkCertificates,
  checkClusterFile,
  checkDisk,
  checkModes,
  checkNode,
} from '../doctor/folder.js'
import { checkMajority, checkPort, checkState, checkSupervisor } from '../doctor/replicas.js'
import { EXIT, Failure } from '../failure.js'
import { MACHINE, findHere, noteMachine, type MachineFlags } from '../machine.js'
import { harmless, paint, result, resultJson, table } from '../output.js'
import { Supervisor } from '../supervisor.js'
import { say } from '../texts.js'

async function examine(context: Context, machine: string | undefined): Promise<Finding[]> {
  const { dir } = context
  const file = await checkClusterFile(dir)
  const { inspected } = file
  const folder = [checkNode(), ...file.findings, ...checkModes(dir), ...checkDisk(dir)]
  if (!inspected) return folder
  const here = await findHere(context, machine)
  noteMachine(here)
  const { replicas } = inspected
  const isOwn = ({ name }: { name: string }): boolean => here.own.some((one) => one.name === name)
  const own = replicas.filter(isOwn)
  const others = replicas.filter((one) => !isOwn(one))
  const ports = await Promise.all(replicas.map((one) => checkPort(dir, one, inspected, isOwn(one))))
  const { servers: _, ...trust } = context.servers()
  const statuses = await askStatuses(others.length > 0 ? replicas : [], trust)
  const states = await Promise.all(
    replicas.map(async (one) => {
      const told = isOwn(one) ? await checkState(dir, one) : checkElsewhere(one, statuses)
      return { name: one.name, ...told }
    }),
  )
  return [
    ...folder,
    ...checkCertificates(inspected, own),
    ...(await checkSupervisor(new Supervisor(dir), own)),
    ...ports,
    ...states.flatMap(({ findings }) => findings),
    checkMajority(states),
    ...unseen(others),
  ]
}

const COLOURS: Record<Verdict, (text: string) => string> = {
  ok: (text) => paint.green(text),
  warn: (text) => paint.yellow(text),
  fail: (text) => paint.red(text),
}

/** Merges findings that differ only in their subject into one row. */
function grouped(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding>()
  for (const finding of findings) {
    const { check, verdict, text, next = '' } = finding
    const key = [check, verdict, text, next].join('\n')
    const known = groups.get(key)
    const subject = known ? `${known.subject} ${finding.subject}` : finding.subject
    groups.set(key, { ...finding, subject })
  }
  return [...groups.values()]
}

function row({ check, subject, verdict, text, next = '' }: Finding): string[] {
  return [COLOURS[verdict](verdict), check, subject, harmless(text), harmless(next)]
}

export const doctor: CommandModule<GlobalFlags, MachineFlags> = {
  command: 'doctor',
  describe: 'check everything that can be wrong, and say what to do next',
  builder: (yargs) => yargs.option('machine', MACHINE),
  async handler(flags) {
    const context = new Context(flags)
    const { dir } = context
    if (!hasCluster(dir)) throw new Failure(EXIT.failed, say('noCluster', { dir }))
    const findings = await examine(context, flags.machine)
    const count = (verdict: Verdict): number =>
      findings.filter((finding) => finding.verdict === verdict).length
    const failed = count('fail')
    if (failed > 0) process.exitCode = EXIT.failed
    if (context.json) return resultJson({ ok: failed === 0, findings })
    const head = ['', 'check', '', say('doctorFound'), say('doctorNext')]
    result(table(head, grouped(findings).map(row)))
    result(say('doctorSum', { ok: count('ok'), warn: count('warn'), fail: failed }))
  },
}
