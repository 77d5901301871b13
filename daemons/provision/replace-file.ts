// Replaces a file as a whole: a reader sees the old content or the new one, never a part.

import { renameSync, writeFileSync } from 'node:fs'

export function replaceFile(file: string, text: string, mode?: number): void {
  const draft = `${file}.new`
  writeFileSync(draft, text, mode === undefined ? {} : { mode })
  renameSync(draft, file)
}
