// The replicas of one cluster for pm2: read from the cluster file in TROCA_DIR (.troca by default).
// `troca up` starts them with a pm2 of the cluster's own; PM2_HOME chooses another. With several
// machines, TROCA_REPLICAS names those of this one: TROCA_REPLICAS="p1 s1".

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = dirname(fileURLToPath(import.meta.url))
const dir = resolve(process.env.TROCA_DIR || '.troca')
const config = join(dir, 'cluster.yaml')
const { replicas } = parse(readFileSync(config, 'utf8'))

/** Longer than draining takes: handing over the turn, resigning, a last checkpoint. */
const DRAIN_MS = 8_000

const app =
  (tier, letter) =>
  ({ slot }) => ({
    name: `${letter}${slot}`,
    script: join(root, 'dist', 'daemons', `${tier}.js`),
    args: ['--config', config, '--slot', String(slot)],
    cwd: dir,
    exec_mode: 'fork',
    kill_timeout: DRAIN_MS,
    exp_backoff_restart_delay: 100,
    node_args: ['--enable-source-maps'],
    // The replicas keep their own logs, capped; here goes only what they say when they die.
    out_file: '/dev/null',
    error_file: join(dir, 'logs', `${letter}${slot}.err.log`),
    pid_file: join(dir, 'pids', `${letter}${slot}.pid`),
    vizion: false,
    pmx: false,
  })

const wanted = process.env.TROCA_REPLICAS?.split(' ')

export const apps = [
  ...replicas.processing.map(app('processing', 'p')),
  ...replicas.persistence.map(app('persistence', 's')),
].filter(({ name }) => !wanted || wanted.includes(name))
