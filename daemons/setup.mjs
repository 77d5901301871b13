// The first step of every npm script. The step checks Node's version, installs if node_modules
// differs from the lockfile, and builds if a source is newer than the build. No dependency is used,
// because nothing may be installed yet.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...path) => join(root, ...path)
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const say = (text) => process.stderr.write(`${text}\n`)

function stop(text) {
  say(text)
  process.exit(1)
}

function checkNode() {
  const needed = readJson(at('package.json')).engines.node.replace(/[^\d.]/g, '')
  const [major, minor] = needed.split('.').map(Number)
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return
  stop(`Node ${process.versions.node} is too old: Troca needs ${needed} or newer (nodejs.org).`)
}

/**
 * Whether every package of the lockfile is installed in its version; optional ones may be absent.
 */
function isInstalled() {
  const marker = at('node_modules', '.package-lock.json')
  if (!existsSync(marker)) return false
  const have = readJson(marker).packages
  return Object.entries(readJson(at('package-lock.json')).packages).every(([path, wanted]) => {
    if (path === '') return true
    return have[path] ? have[path].version === wanted.version : Boolean(wanted.optional)
  })
}

/**
 * Runs a command under a line that counts seconds; the command's output is shown only on failure.
 */
function runQuietly(what, command, args) {
  return new Promise((resolve) => {
    const startedAt = Date.now()
    const child = spawn(command, args, { cwd: root, shell: process.platform === 'win32' })
    let output = ''
    const show = () => {
      const seconds = Math.round((Date.now() - startedAt) / 1000)
      const line = `${what} … ${seconds} s`
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
      else if (seconds % 10 === 0) say(line)
    }
    show()
    const shower = setInterval(show, 1000)
    const end = (code) => {
      clearInterval(shower)
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
      if (code === 0) say(`${what}: done in ${Math.round((Date.now() - startedAt) / 1000)} s`)
      resolve({ ok: code === 0, output })
    }
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => {
      output += error.message
      end(1)
    })
    child.on('close', end)
  })
}

const present = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
const lastLines = (text, count) => text.trim().split('\n').slice(-count).join('\n')

async function install() {
  const isLink = existsSync(at('node_modules')) && lstatSync(at('node_modules')).isSymbolicLink()
  if (isLink || isInstalled()) return
  // Not `npm ci`: npm ci refuses a lockfile that lacks the binaries of some platforms.
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const { ok, output } = await runQuietly('installing (some minutes the first time)', command, [
    ...first,
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
  ])
  if (ok) return
  const compilers = process.platform === 'win32' ? ['python'] : ['make', 'python3']
  const missing = compilers.filter((program) => !present(program))
  if (!['c++', 'g++', 'clang++'].some(present)) missing.push('a C++ compiler')
  say(lastLines(output, 30))
  if (missing.length === 0) stop('The packages could not be installed: see the lines above.')
  stop(
    `The packages could not be installed: ${missing.join(', ')} missing, to build sqlite3. ` +
      'On Debian or Ubuntu: sudo apt-get install build-essential python3; on macOS: ' +
      'xcode-select --install.',
  )
}

function newest(path) {
  if (!existsSync(path)) return 0
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

async function build() {
  const info = at('dist', '.tsbuildinfo')
  const sources = ['protocol', 'daemons', 'clients', 'test', 'tsconfig.json', 'package-lock.json']
  const built = existsSync(info) ? statSync(info).mtimeMs : 0
  if (sources.every((source) => newest(at(source)) < built)) return
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc')
  const { ok, output } = await runQuietly('building', process.execPath, [
    tsc,
    '-p',
    at('tsconfig.json'),
  ])
  if (!ok) stop(`${lastLines(output, 30)}\nThe build failed: see the lines above.`)
  // The compiler does not rewrite an unchanged .tsbuildinfo, which would then look older than a
  // source.
  utimesSync(info, new Date(), new Date())
}

checkNode()
await install()
await build()
