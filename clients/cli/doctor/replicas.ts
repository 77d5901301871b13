// Checks of the replicas: whether each answers with the right certificate; of those of this machine,
// by their debug ports, whether each serves, its clock, and its state under the cluster's pm2.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { hostPort } from '../../../protocol/host.js'
import { askDebugPort, reachable } from '../debug-port.js'
import type { Supervised, Supervisor } from '../supervisor.js'
import { fine, fault } from './finding.js'
import { inWords } from './in-words.js'
import type { Finding } from './finding.js'
import type { Inspected, Inspection } from './folder.js'

const CONNECT_MS = 2_000
/** Messages carry the coordinator's time; a difference of seconds is visible to users. */
const CLOCK_WARN_S = 2

/** Connects; resolves with the fingerprint of the replica's certificate, '' without TLS. */
function reach({ host, port, uri }: Inspection, ca: Buffer | null): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (fingerprint: string): void => {
      // end(), not destroy(): the replica must not log a broken handshake.
      socket.end()
      resolve(fingerprint)
    }
    const socket = ca
      ? connectTls(
          {
            ...{ host, port, ca, minVersion: 'TLSv1.3' },
            checkServerIdentity: (_host, { subjectaltname = '' }) =>
              subjectaltname.split(', ').includes(`URI:${uri}`)
                ? undefined
                : Object.assign(new Error(`its certificate is not that of ${uri}`), {
                    code: 'URI',
                  }),
          },
          () => done(socketFingerprint()),
        )
      : connectTcp({ host, port }, () => done(''))
    const socketFingerprint = (): string =>
      'getPeerCertificate' in socket ? socket.getPeerCertificate().fingerprint256 : ''
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer in time')))
    socket.on('error', reject)
  })
}

const NOBODY = /^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_)/

export async function checkPort(
  dir: string,
  replica: Inspection,
  { tls, certificates }: Inspected,
  isOwn: boolean,
): Promise<Finding> {
  const { name, machine, host, port } = replica
  const at = hostPort(host, port)
  const values = { at, machine, file: join(dir, 'cluster.yaml'), log: logOf(dir, name) }
  try {
    const shown = await reach(replica, tls ? readFileSync(join(dir, 'ca.pem')) : null)
    const file = certificates.find((one) => one.name === name)
    if (file?.expires === undefined || file.fingerprint === shown) {
      return fine('port', name, 'port')
    }
    return fault('warn', 'port', name, ['oldCertificate', 'oldCertificateNext'], values)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const what = { ...values, reason: message || code }
    const next = NOBODY.test(code) || code === '' ? 'dead' : 'other'
    if (next === 'dead') {
      const advice = isOwn ? 'portDeadNext' : 'portDeadThere'
      return fault('fail', 'port', name, ['portDead', advice], what)
    }
    return fault('fail', 'port', name, ['portOther', 'portOtherNext'], what)
  }
}

const logOf = (dir: string, name: string): string => join(dir, 'logs', `${name}.log`)

export interface Told {
  readonly findings: readonly Finding[]
  readonly runs: boolean
}

/** Asks the debug port whether the replica serves, and for its clock. */
export async function checkState(dir: string, replica: Inspection): Promise<Told> {
  const { name, debugHost, debugPort } = replica
  const values = { port: debugPort, log: logOf(dir, name) }
  const ask = (word: string): Promise<string> => askDebugPort(debugPort, word, reachable(debugHost))
  const line = (text: string, start: string): string | undefined =>
    text
      .split('\n')
      .find((one) => one.startsWith(start))
      ?.slice(start.length)
  try {
    const state = line(await ask('stat'), 'state: ')
    if (state === undefined) throw new Error('this is no debug port')
    const asked = Date.now()
    const figures = await ask('mntr')
    const shown = Number(line(figures, 'troca_clock_timestamp_seconds\t'))
    const middle = (asked + Date.now()) / 2 / 1_000
    const served =
      state === 'ready'
        ? fine('ready', name, 'ready')
        : fault('fail', 'ready', name, ['notReady', 'notReadyNext'], { ...values, reason: state })
    const findings = [served, clock(name, Math.abs(shown - middle)), ...room(name, figures)]
    return { runs: true, findings }
  } catch {
    return {
      runs: false,
      findings: [fault('fail', 'ready', name, ['silent', 'silentNext'], values)],
    }
  }
}

/** Room that a replica's log takes, and that its disk has; nothing from a replica without a log. */
function room(name: string, figures: string): Finding[] {
  const value = (label: string): number => {
    const found = figures.split('\n').find((one) => one.startsWith(`${label}\t`))
    return Number(found?.split('\t')[1] ?? NaN)
  }
  const part = (of: string): number => value(`troca_log_bytes{part="${of}"}`)
  const [main, wal, free] = [part('main'), part('wal'), part('free')]
  if (Number.isNaN(main)) return []
  const left = value('troca_disk_bytes{part="free"}')
  const sizes = { file: inWords(main), wal: inWords(wal), reused: inWords(free || 0) }
  return [fine('file', name, 'fileSize', { ...sizes, free: inWords(left) })]
}

function clock(name: string, difference: number): Finding {
  const seconds = Math.max(0.1, Math.ceil(difference * 10) / 10)
  if (difference < CLOCK_WARN_S) return fine('clock', name, 'clock', { seconds })
  return fault('warn', 'clock', name, ['clockOff', 'clockOffNext'], { seconds })
}

/** Whether a majority of the persistence replicas runs, which every send needs. */
export function checkMajority(states: readonly { name: string; runs: boolean }[]): Finding {
  const stores = states.filter(({ name }) => name.startsWith('s'))
  const missing = stores.filter((one) => !one.runs).map(({ name }) => name)
  const running = stores.length - missing.length
  const needed = Math.floor(stores.length / 2) + 1
  const values = { running, all: stores.length, needed, missing: missing.join(' ') }
  if (running >= needed) return fine('majority', '', 'majority', values)
  return fault('fail', 'majority', '', ['majority', 'majorityNext'], values)
}

export async function checkSupervisor(
  supervisor: Supervisor,
  replicas: readonly Inspection[],
): Promise<Finding[]> {
  if (!supervisor.running) return [fault('warn', 'pm2', '', ['pm2Not', 'pm2NotNext'])]
  const list = await supervisor.list()
  return replicas.map(({ name }) => supervised(supervisor, name, list))
}

function supervised(supervisor: Supervisor, name: string, list: readonly Supervised[]): Finding {
  const found = list.find((one) => one.name === name)
  const { status = 'unknown', restarts = 0 } = found ?? {}
  if (status === 'online' && restarts === 0) return fine('pm2', name, 'pm2')
  const log = supervisor.logPath(name)
  if (status === 'online') {
    return fault('warn', 'pm2', name, ['pm2Restarts', 'pm2LogNext'], { restarts, log })
  }
  const values = { status, words: supervisor.lastWords(name), log }
  return fault('fail', 'pm2', name, ['pm2Down', 'pm2LogNext'], values)
}
