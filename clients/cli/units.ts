// systemd units, one a replica: hardened, restarted after every end, started at boot. The daemons
// run without a wrapper, so that systemd's signals and exit codes are theirs.

import { dirname, join, relative } from 'node:path'
import type { ReplicaPorts } from './cluster-file.js'
import { PACKAGE_DIR, daemonProgram } from './programs.js'

export interface UnitPlan {
  /** The cluster's folder. */
  readonly dir: string
  readonly user: string
  /** Start of each unit's name. */
  readonly prefix: string
}

export interface Unit {
  /** troca-p1.service */
  readonly name: string
  readonly text: string
}

/** A word of a unit file: quoted, and without specifiers and variables. */
function word(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/%/g, '%%').replace(/\$/g, '$$$$')
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`
}

/** A value that systemd takes as it stands but for specifiers. */
const plain = (text: string): string => text.replace(/%/g, '%%')

/** A word of a list of paths, in which $ stands for itself. */
const inList = (text: string): string => word(text).replaceAll('$$', '$')

const isBelow = (folder: string, home: string): boolean => !relative(home, folder).startsWith('..')

/** Home folders stay readable where the cluster's folder, Troca or Node is in one. */
function homes(dir: string): string {
  const needed = [dir, PACKAGE_DIR, dirname(process.execPath)]
  const inside = needed.some((one) =>
    ['/home', '/root', '/run/user'].some((at) => isBelow(one, at)),
  )
  return inside ? 'read-only' : 'yes'
}

/** A folder of its own for temporary files, unless it would hide the cluster's. */
function temporary(dir: string): string {
  return ['/tmp', '/var/tmp'].some((at) => isBelow(dir, at)) ? 'no' : 'yes'
}

export function unitOf({ name }: ReplicaPorts, { dir, user, prefix }: UnitPlan): Unit {
  const program = daemonProgram(name.startsWith('p') ? 'processing' : 'persistence')
  const config = join(dir, 'cluster.yaml')
  const command = [process.execPath, '--enable-source-maps', program]
  const args = ['--config', config, '--slot', name.slice(1)]
  const text = `# Replica ${name} of the cluster in ${dir}, written by: troca service
[Unit]
Description=Troca replica ${name}
Wants=network-online.target
After=network-online.target time-sync.target
# Never give up: a replica that cannot start says why in its log, and is tried again.
StartLimitIntervalSec=0

[Service]
Type=exec
User=${user}
WorkingDirectory=${plain(dir)}
ExecStart=${[...command, ...args].map(word).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
# Draining takes up to 8 s, and the last checkpoint comes after it.
TimeoutStopSec=30

# limits.maxClients and limits.handshakes must fit.
LimitNOFILE=65536
TasksMax=512
OOMScoreAdjust=-500
UMask=0077

ReadWritePaths=${inList(dir)}
ProtectSystem=strict
ProtectHome=${homes(dir)}
PrivateTmp=${temporary(dir)}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: V8 compiles to machine code.

[Install]
WantedBy=multi-user.target
`
  return { name: `${prefix}-${name}.service`, text }
}
