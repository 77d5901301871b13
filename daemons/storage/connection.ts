// Promises around one sqlite3 connection. Only this folder uses the package. Statements are
// prepared once and kept. Calls run on threads of libuv's pool.

import sqlite3 from 'sqlite3'

export type Value = number | string | Uint8Array | null
export type Row = Record<string, Value>

/** An error of sqlite3, with a code such as SQLITE_FULL. */
export interface SqliteError extends Error {
  readonly code: string
}

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('SQLITE_')
}

const MODES = {
  create: sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE,
  write: sqlite3.OPEN_READWRITE,
  read: sqlite3.OPEN_READONLY,
} as const

function settle<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)))
  })
}

export class Connection {
  readonly #database: sqlite3.Database
  readonly #statements = new Map<string, Promise<sqlite3.Statement>>()

  private constructor(database: sqlite3.Database) {
    this.#database = database
  }

  static async open(path: string, mode: keyof typeof MODES): Promise<Connection> {
    let database: sqlite3.Database | undefined
    await settle<void>((done) => (database = new sqlite3.Database(path, MODES[mode], done)))
    return new Connection(database!)
  }

  /** Runs several statements without parameters. */
  exec(sql: string): Promise<void> {
    return settle((done) => this.#database.exec(sql, done))
  }

  async run(sql: string, ...parameters: Value[]): Promise<void> {
    const statement = await this.#prepared(sql)
    return settle<void>((done) => {
      statement.run(parameters, (error: Error | null) => done(error))
    })
  }

  async all<T extends object = Row>(sql: string, ...parameters: Value[]): Promise<T[]> {
    const statement = await this.#prepared(sql)
    return settle((done) => statement.all(parameters, done))
  }

  async close(): Promise<void> {
    const prepared = await Promise.allSettled(this.#statements.values())
    for (const one of prepared) {
      if (one.status === 'fulfilled')
        await settle<void>((done) => one.value.finalize(() => done(null)))
    }
    this.#statements.clear()
    return settle((done) => this.#database.close(done))
  }

  #prepared(sql: string): Promise<sqlite3.Statement> {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = settle((done) => {
        const made: sqlite3.Statement = this.#database.prepare(sql, (error: Error | null) =>
          done(error, made),
        )
      })
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
