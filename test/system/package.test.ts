// The package as its users get it: packed, checked by publint and attw, installed in an empty
// project, and run there with a whole cluster.

import { execFile } from 'node:child_process'
import type { ExecFileException } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freeBasePort } from '../../clients/cli/free-ports.js'

t.setTimeout(180_000)

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string
  dependencies: Record<string, string>
}
/** To a file, in Markdown. */
const LINK = /\]\(((?!https?:)[^)#]+)/g
const { PATH, HOME } = process.env
const env = { PATH, HOME, NO_COLOR: '1', FORCE_COLOR: '0' }

/** Runs a program in a folder; what it printed. Rejects with that when it ends otherwise than by 0. */
function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error) reject(new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`))
      else resolve(stdout)
    }
    execFile(command, args, { cwd, env, maxBuffer: 1 << 26 }, done)
  })
}

// Not in the test's own folder: Node would find the project's node_modules above it.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'troca-package-')))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

// Built already: prepack would take the build away under other tests.
const packed = await run(ROOT, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder)
const tarball = join(folder, packed.trim().split('\n').at(-1)!)

const app = join(folder, 'app')
const modules = join(app, 'node_modules')
const installed = join(modules, 'troca')

/**
 * As `npm install troca-X.tgz`, without a registry and without the compiler: the tarball is unpacked,
 * npm links its commands, and just what package.json calls a dependency is there, from the project's
 * own node_modules. A package that only the project's tests need is not found.
 */
async function install(): Promise<void> {
  mkdirSync(installed, { recursive: true })
  // A version that is not Troca's, and that Troca must not take for its own.
  writeFileSync(
    join(app, 'package.json'),
    '{ "name": "app", "version": "9.9.9", "private": true }\n',
  )
  await run(folder, 'tar', '-xzf', tarball, '-C', installed, '--strip-components=1')
  for (const name of Object.keys(MANIFEST.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  await run(app, 'npm', 'rebuild', 'troca', '--ignore-scripts', '--offline')
}

await install()

t.test('publint and attw find nothing', async (t) => {
  const tool = (name: string): string => join(ROOT, 'node_modules', '.bin', name)
  t.match(await run(folder, tool('publint'), 'run', tarball, '--strict'), 'All good')
  await run(folder, tool('attw'), tarball, '--profile', 'esm-only')
})

t.test('the package holds the build, documents and examples, and its links resolve', async (t) => {
  const files = (await run(folder, 'tar', '-tzf', tarball)).trim().split('\n')
  const names = files.map((name) => name.replace(/^package\//, ''))
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'ecosystem.config.js']) {
    t.ok(names.includes(name), name)
  }
  const outside = /^(package\.json|[A-Z]+(\.md)?|ecosystem\.config\.js)$/
  const inside = /^(dist\/(protocol|daemons|clients)|docs|examples)\/(?!api\/)/
  for (const [, link] of readFileSync(join(installed, 'README.md'), 'utf8').matchAll(LINK)) {
    t.ok(existsSync(join(installed, link!)), `README leads to ${link}`)
  }
  t.strictSame(
    names.filter((name) => !outside.test(name) && !inside.test(name)),
    [],
    'nothing else',
  )
  for (const name of names.filter((one) => one.startsWith('dist/') && one.endsWith('.js'))) {
    const source = join(ROOT, name.replace(/^dist\//, '').replace(/\.js$/, '.ts'))
    if (!existsSync(source)) t.fail(`${name} is of an older build: its source is gone`)
    const link = /\/\/# sourceMappingURL=(.*)$/m.exec(readFileSync(join(installed, name), 'utf8'))
    const map = link && join(installed, dirname(name), link[1]!)
    if (!map || !existsSync(map)) t.fail(`${name} has no source map`)
    else {
      const { sources, sourcesContent } = JSON.parse(readFileSync(map, 'utf8')) as {
        sources: string[]
        sourcesContent?: (string | null)[]
      }
      if (sourcesContent?.length !== sources.length) t.fail(`the map of ${name} leads outside`)
    }
  }
})

t.test('the command says its own version', async (t) => {
  const printed = await run(app, 'npx', '--no-install', 'troca', '--version')
  t.equal(printed.trim(), MANIFEST.version)
})

t.test('a program finds the entries, and nothing else', async (t) => {
  const program = `
    import { connect } from 'troca'
    import { generateKey } from 'troca/rsa'
    const inner = await import('troca/dist/clients/index.js').catch(({ code }) => code)
    console.log(typeof connect, typeof generateKey, inner)`
  const printed = await run(app, process.execPath, '--input-type=module', '-e', program)
  t.equal(printed.trim(), 'function function ERR_PACKAGE_PATH_NOT_EXPORTED')
})

t.test('a cluster of the installed package, and an example on it', async (t) => {
  const troca = (...args: string[]): Promise<string> => {
    return run(app, 'npx', '--no-install', 'troca', ...args)
  }
  const shape = ['--processing', '1', '--persistence', '1', '--key-bits', '2048']
  await troca('init', ...shape, '--base-port', String(await freeBasePort()))
  t.teardown(() => troca('down'))
  await troca('up', '--timeout', '60')
  const example = join('node_modules', 'troca', 'examples', 'send-and-listen.mjs')
  t.match(await run(app, process.execPath, example), /carla: olá\n/)
  t.match(await troca('verify'), /all files agree/)
})
