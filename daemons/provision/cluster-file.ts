// Changes of a cluster file by commands. Comments and order of the file stay.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseDocument, type Document } from 'yaml'

/** Replaces a file atomically, as a replica may be reading it. */
export function replaceFile(file: string, text: string, mode?: number): void {
  const draft = `${file}.new`
  writeFileSync(draft, text, mode === undefined ? {} : { mode })
  renameSync(draft, file)
}

export function changeClusterFile(file: string, change: (document: Document) => void): void {
  const document = parseDocument(readFileSync(file, 'utf8'))
  change(document)
  replaceFile(file, document.toString())
}

/** History and cluster stand together at the head of the file. */
export function setHistory(document: Document, historyId: string): void {
  document.set('historyId', historyId)
}
