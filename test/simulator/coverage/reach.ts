// The hooks of a watcher of situations: those of a checker, and a few more.

import type { ReadQuery } from '../../../protocol/machine/storage.js'
import type { Check } from '../checks/check.js'
import type { Host } from '../host.js'
import type { SITUATIONS } from './situations.js'

type Situation = (typeof SITUATIONS)[number]

/** Counts a situation as reached. */
export type Reach = (name: Situation) => void

export type LogFields = Readonly<Record<string, string | number | boolean>>

export interface Watcher extends Check {
  /** The host's status or role has changed in this step. */
  moved?(host: Host, from: string, to: string): void
  logged?(host: Host, event: string, fields: LogFields): void
  /** A machine reads its file. */
  read?(host: Host, query: ReadQuery): void
}
