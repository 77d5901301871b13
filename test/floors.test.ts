// The linter holds who may import whom, folder by folder. A folder without a rule would be held to
// nothing: each one has its line.

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

interface Override {
  readonly files: readonly string[]
  readonly rules: Readonly<Record<string, unknown>>
}

const { overrides } = JSON.parse(readFileSync(root('.oxlintrc.json'), 'utf8')) as {
  overrides: readonly Override[]
}

for (const top of ['protocol', 'daemons']) {
  const folders = readdirSync(root(top), { withFileTypes: true }).filter((one) => one.isDirectory())
  for (const { name } of folders) {
    t.test(`${top}/${name}`, async (t) => {
      const own = overrides.find(({ files }) => files.includes(`${top}/${name}/**/*.ts`))
      t.ok(own?.rules['no-restricted-imports'], 'a floor of its own in .oxlintrc.json')
    })
  }
}
