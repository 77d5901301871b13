// Starts the daemons' programs as child processes; the command line never imports them. Only
// `troca run` becomes a daemon itself.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's folder, three levels above dist/clients/cli. */
export const PACKAGE_DIR = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** Version of this package. yargs would read the package.json of the installing project. */
export function packageVersion(): string {
  const file = readFileSync(join(PACKAGE_DIR, 'package.json'), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

const SECRETS = ['PASSWORD', 'NEW_PASSWORD', 'PASSPHRASE'].flatMap((name) => [
  `TROCA_${name}`,
  `TROCA_${name}_FILE`,
])

/** The environment without passwords, because a daemon keeps its environment while it runs. */
export function daemonEnvironment(added: Record<string, string> = {}): NodeJS.ProcessEnv {
  const environment = { ...process.env, ...added }
  for (const name of SECRETS) delete environment[name]
  return environment
}

/** Takes the passwords out of this process's environment, before it becomes a daemon. */
export function forgetSecrets(): void {
  for (const name of SECRETS) delete process.env[name]
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** It had not ended in time, and was killed. */
  readonly late: boolean
}

export function run(
  script: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; show?: boolean; withinMs?: number } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: options.env ?? daemonEnvironment(),
      stdio: options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      ...(options.withinMs === undefined
        ? {}
        : { timeout: options.withinMs, killSignal: 'SIGKILL' as const }),
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk) => (stdout += String(chunk)))
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)))
    let late = false
    const { withinMs } = options
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
      // What it has started may hold its pipes open.
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, withinMs)
    if (withinMs === undefined) clearTimeout(timer)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? (signal ? 1 : 0), stdout, stderr, late })
    })
  })
}

/** `root`: the package's folder. */
export function daemonProgram(name: string, root = PACKAGE_DIR): string {
  return join(root, 'dist', 'daemons', `${name}.js`)
}
