// Another commit of this repository, checked out beside this checkout and built.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { PACKAGE_DIR } from '../../clients/cli/programs.js'
import type { Owner } from './cluster.js'

export function git(...args: string[]): string {
  const stdio = ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore']
  return execFileSync('git', args, { cwd: PACKAGE_DIR, encoding: 'utf8', stdio }).trim()
}

/** Packages by path, with their versions. */
function packagesOf(root: string): object {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const { '': _own, ...packages } = (JSON.parse(text) as { packages: Record<string, unknown> })
    .packages
  return packages
}

/** Checks a commit out and builds it; the end of `owner` removes it. Returns its folder. */
export function buildCommit(owner: Pick<Owner, 'testdir' | 'teardown'>, commit: string): string {
  const root = join(owner.testdir(), 'ref')
  owner.teardown(() => git('worktree', 'remove', '--force', root))
  git('worktree', 'add', '--quiet', '--detach', root, commit)
  if (isDeepStrictEqual(packagesOf(root), packagesOf(PACKAGE_DIR))) {
    symlinkSync(join(PACKAGE_DIR, 'node_modules'), join(root, 'node_modules'))
  }
  // Installs the packages, where there is no link to those of this checkout, and compiles.
  execFileSync(process.execPath, [join('daemons', 'setup.mjs')], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  return root
}

/** The built module of another checkout; null if it has none at this path. */
export async function moduleOf(root: string, path: string): Promise<unknown> {
  const file = join(root, 'dist', path)
  return existsSync(file) ? import(pathToFileURL(file).href) : null
}
