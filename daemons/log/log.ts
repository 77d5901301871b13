// The log of one replica: JSON lines, one an event, into capped files and to stdout. Invariant:
// only the fields named here are written, and no message text, key, password or token is ever a
// field. Values that come from outside are escaped and capped.

import winston from 'winston'
import { CappedFile } from './capped-file.js'
import type { LogLevel } from '../../protocol/machine/machine.js'

export interface LogOptions {
  readonly name: string
  readonly directory: string
  readonly level: LogLevel
  readonly maxFileBytes: number
  readonly maxFiles: number
  readonly stdout: boolean
}

export type LogFields = Readonly<Record<string, string | number | boolean>>
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

export interface ReplicaLog extends Log {
  /** Writes events of this level and above from now on. */
  setLevel(level: LogLevel): void
}

const ALLOWED = new Set(
  `acked address answers applied attempt base bits boot bytes clients code commit committed coordinator count counter
  durable duration epoch expected exitCode file folder freeBytes from heldBack holds host incarnation index k kind lane last
  lamport clock leadMs link live members mismatched needed newest newestTerm of oldest outcome part parts
  peer pid port previous promised reached reason records role round sizeBytes slot slots stack status term tier to
  unanswered until user verdict version view votes waiting wall winner`.split(/\s+/),
)
const MAX_VALUE_CHARS = 256
const MAX_STACK_CHARS = 4_096

/**
 * Characters that JSON leaves unescaped. C1 controls move a terminal, line separators split a line,
 * direction marks show a text as another one, and a lone surrogate is invalid UTF-8 for other
 * programs.
 */
const UNSHOWABLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu

function clean(name: string, value: string | number | boolean): string | number | boolean {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'string') return value
  const most = name === 'stack' ? MAX_STACK_CHARS : MAX_VALUE_CHARS
  const cut = value.length - most
  const capped = cut > 0 ? `${value.slice(0, most)}… ${cut} more` : value
  return capped.replace(UNSHOWABLE, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The fields that may be written, cleaned, with the number of those that may not. */
export function permitted(fields: LogFields): Record<string, string | number | boolean> {
  const given = Object.entries(fields)
  const allowed = given.filter(([name]) => ALLOWED.has(name))
  const left = given.length - allowed.length
  const written = Object.fromEntries(allowed.map(([name, value]) => [name, clean(name, value)]))
  return left === 0 ? written : { ...written, fieldsLeftOut: left }
}

export function openLog(options: LogOptions): ReplicaLog {
  const { name, directory, level, maxFileBytes: maxBytes, maxFiles, stdout } = options
  const stream = new CappedFile({ directory, name, maxBytes, maxFiles })
  // A full disk must not stop a replica that serves; the supervisor keeps stderr.
  stream.on('lost', (error: Error) => process.stderr.write(`${name}: log: ${error.message}\n`))
  const file = new winston.transports.Stream({ stream })
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.printf(({ level, message, fields }) =>
      JSON.stringify({
        at: new Date().toISOString(),
        replica: name,
        level,
        event: message,
        ...(fields as object),
      }),
    ),
    transports: stdout ? [file, new winston.transports.Console()] : [file],
  })
  const log: Log = (level, event, fields = {}) => {
    logger.log({ level, message: event, fields: permitted(fields) })
  }
  return Object.assign(log, {
    setLevel(level: LogLevel): void {
      logger.level = level
    },
  })
}
