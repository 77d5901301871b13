// The settings of a command, by precedence: flag, TROCA_... variable, context file, default. All
// that commands remember is in the cluster's folder: context.json, and one file for each kept
// password.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { Account } from '../accounts.js'
import { KeyFolder } from '../e2e/key-store.js'
import { USER_NAME, type ConnectOptions } from '../options.js'
import { FIRST_HISTORY } from '../../protocol/entries/origin.js'
import { EXIT, Failure } from './failure.js'
import { say } from './texts.js'

export interface GlobalFlags {
  dir?: string | undefined
  as?: string | undefined
  json?: boolean | undefined
  /** Time-out in seconds. */
  timeout?: number | undefined
  'password-file'?: string | undefined
}

interface Remembered {
  user?: string
  accounts: Record<string, KeptAccount>
}

interface KeptAccount extends Pick<Account, 'held' | 'fingerprint' | 'bits' | 'cursor'> {
  /** History that `cursor` is of; absent: FIRST_HISTORY. */
  readonly history?: string
}

const DEFAULT_TIMEOUT_S = 10

/** An environment variable; one that is empty counts as unset. */
export function variable(name: string): string | undefined {
  return process.env[name] || undefined
}

/** Whether TROCA_JSON asks for JSON. */
export function wantsJson(): boolean {
  return (variable('TROCA_JSON') ?? '0') !== '0'
}

export class Context {
  readonly dir: string
  readonly json: boolean
  readonly timeoutMs: number
  readonly passwordFile: string | undefined
  readonly #as: string | undefined
  readonly #startedAt = performance.now()
  #history = FIRST_HISTORY

  constructor(flags: GlobalFlags) {
    this.dir = resolve(flags.dir ?? variable('TROCA_DIR') ?? '.troca')
    this.json = flags.json ?? wantsJson()
    const seconds = flags.timeout ?? Number(variable('TROCA_TIMEOUT') ?? DEFAULT_TIMEOUT_S)
    if (!(seconds > 0)) throw new Failure(EXIT.usage, '--timeout: a number of seconds above 0')
    this.timeoutMs = seconds * 1000
    this.passwordFile = flags['password-file'] ?? variable('TROCA_PASSWORD_FILE')
    this.#as = flags.as ?? variable('TROCA_USER')
  }

  /** The rest of the command's time-out, at least 1 ms. */
  get leftMs(): number {
    return Math.max(1, this.timeoutMs - (performance.now() - this.#startedAt))
  }

  get hasCluster(): boolean {
    return existsSync(join(this.dir, 'client.json'))
  }

  /** The key files of client-held accounts, and the known keys of contacts. */
  get keyStore(): KeyFolder {
    return new KeyFolder(this.dir)
  }

  /** The user that the command acts as; throws a Failure if no user is logged in. */
  get user(): string {
    const user = this.#as ?? this.read().user
    if (!user) throw new Failure(EXIT.authentication, say('nobody'))
    return checkName(user)
  }

  servers(): Pick<ConnectOptions, 'servers' | 'ca' | 'clusterId' | 'tls'> {
    if (!this.hasCluster) throw new Failure(EXIT.failed, say('noCluster', { dir: this.dir }))
    const file = JSON.parse(readFileSync(join(this.dir, 'client.json'), 'utf8')) as {
      clusterId: string
      tls: boolean
      ca: string
      servers: { slot: number; host: string; port: number }[]
    }
    const { clusterId, tls, servers } = file
    return {
      clusterId,
      tls,
      servers,
      ...(tls ? { ca: readFileSync(join(this.dir, file.ca)) } : {}),
    }
  }

  read(): Remembered {
    try {
      const text = readFileSync(join(this.dir, 'context.json'), 'utf8')
      return { accounts: {}, ...(JSON.parse(text) as Partial<Remembered>) }
    } catch {
      return { accounts: {} }
    }
  }

  change(how: (remembered: Remembered) => unknown): void {
    const remembered = this.read()
    how(remembered)
    const path = join(this.dir, 'context.json')
    writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(remembered, null, 2)}\n`)
    renameSync(`${path}.${process.pid}`, path)
  }

  /**
   * The service has answered with this history. Read marks that were kept of another one are forgotten;
   * gives the names of their accounts.
   */
  serves(history: string): string[] {
    this.#history = history
    const { accounts } = this.read()
    const others = Object.keys(accounts).filter((name) => {
      const { history: kept = FIRST_HISTORY } = accounts[name]!
      return kept !== history
    })
    if (others.length === 0) return []
    this.change((remembered) => {
      for (const name of others) {
        const account = remembered.accounts[name]
        if (account) remembered.accounts[name] = { ...account, cursor: 0, history }
      }
    })
    return others
  }

  /** Notes what the service says of an account. The current user stays, unless there is none. */
  rememberAccount({ name, held, fingerprint, bits, cursor }: Account): void {
    this.change((remembered) => {
      remembered.user ??= name
      const history = this.#history
      remembered.accounts[name] = { held, fingerprint, bits, cursor, history }
    })
  }

  /** Makes this the user that commands act as. */
  use(name: string): void {
    this.change((remembered) => (remembered.user = name))
  }

  rememberCursor(name: string, cursor: number): void {
    this.change(({ accounts }) => {
      const account = accounts[name]
      if (account && account.cursor < cursor) accounts[name] = { ...account, cursor }
    })
  }

  passwordPath(user: string): string {
    return join(this.dir, 'credentials', checkName(user))
  }

  savedPassword(user: string): string | undefined {
    const path = this.passwordPath(user)
    return existsSync(path) ? readFileSync(path, 'utf8').replace(/\n$/, '') : undefined
  }

  savePassword(user: string, password: string): void {
    mkdirSync(join(this.dir, 'credentials'), { recursive: true, mode: 0o700 })
    const path = this.passwordPath(user)
    writeFileSync(path, `${password}\n`, { mode: 0o600 })
    chmodSync(path, 0o600)
  }

  forget(user: string): void {
    rmSync(this.passwordPath(user), { force: true })
    this.change((remembered) => {
      delete remembered.accounts[user]
      if (remembered.user === user) delete remembered.user
    })
  }
}

function checkName(name: string): string {
  if (USER_NAME.test(name)) return name
  throw new Failure(
    EXIT.usage,
    `"${name}" is no user name: 1 to 32 of a-z 0-9 . _ - beginning with a letter`,
  )
}
