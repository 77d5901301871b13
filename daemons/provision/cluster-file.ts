// Changes of a cluster file by commands. Comments and order of the file stay.

import { readFileSync } from 'node:fs'
import { parseDocument, type Document } from 'yaml'
import { replaceFile } from './replace-file.js'

export function changeClusterFile(file: string, change: (document: Document) => void): void {
  const document = parseDocument(readFileSync(file, 'utf8'))
  change(document)
  replaceFile(file, document.toString())
}

/** History and cluster stand together at the head of the file. */
export function setHistory(document: Document, historyId: string): void {
  document.set('historyId', historyId)
}
