// The text that Bob sends in the demo: the lines of README.md and docs/, or of a file.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_DIR } from './programs.js'

function markdownIn(dir: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(dir, name))
}

export function demoLines(file: string | undefined): string[] {
  const readme = join(PACKAGE_DIR, 'README.md')
  const own = [...(existsSync(readme) ? [readme] : []), ...markdownIn(join(PACKAGE_DIR, 'docs'))]
  return (file === undefined ? own : [file]).flatMap((path) =>
    readFileSync(path, 'utf8').replace(/\n$/, '').split('\n'),
  )
}

/** The first difference between two texts; null: there is none. */
export function firstDifference(
  sent: readonly string[],
  read: readonly (string | null)[],
): string | null {
  const count = Math.max(sent.length, read.length)
  for (let i = 0; i < count; i++) {
    if (sent[i] === read[i]) continue
    const show = (text: string | null | undefined): string =>
      JSON.stringify(text ?? null).slice(0, 80)
    return `line ${i + 1}: sent ${show(sent[i])}, read ${show(read[i])}`
  }
  return null
}
