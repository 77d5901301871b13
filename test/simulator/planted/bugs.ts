// All planted bugs.

import type { Bug } from './bug.js'
import { CLIENT_BUGS } from './clients.js'
import { INCARNATION_BUGS } from './incarnations.js'
import { LOG_BUGS } from './log.js'
import { ORDER_BUGS } from './order.js'
import { DIRECTORY_BUGS } from './directory.js'
import { RECEIPT_BUGS } from './receipts.js'
import { RETENTION_BUGS } from './retention.js'
import { SESSION_BUGS } from './sessions.js'
import { SNAPSHOT_BUGS } from './snapshots.js'
import { STREAM_BUGS } from './streams.js'
import { TERM_BUGS } from './term.js'
import { TURN_BUGS } from './turn.js'
import { VIEW_BUGS } from './view.js'

/** Bugs of the persistence tier. Clusters of persistence alone show them in a third of the time. */
const PERSISTENCE_BUGS = [...TURN_BUGS, ...LOG_BUGS, ...VIEW_BUGS, ...INCARNATION_BUGS]

export const BUGS: readonly Bug[] = [
  ...PERSISTENCE_BUGS.map((bug): Bug => ({ workload: 'persistence', ...bug })),
  ...TERM_BUGS,
  ...ORDER_BUGS,
  ...CLIENT_BUGS,
  ...SESSION_BUGS,
  ...STREAM_BUGS,
  ...DIRECTORY_BUGS,
  ...RECEIPT_BUGS,
  ...SNAPSHOT_BUGS,
  ...RETENTION_BUGS,
]
