// The commit of the project that runs.

import { execFileSync } from 'node:child_process'

function git(...words: string[]): string {
  const options = { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' } as const
  return execFileSync('git', words, options).trim()
}

/** Short hash, with -dirty where tracked files differ from it; `unknown` outside a checkout. */
export function commit(): string {
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${dirty ? '-dirty' : ''}`
  } catch {
    return 'unknown'
  }
}
