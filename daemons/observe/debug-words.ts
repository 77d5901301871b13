// The words of the debug port, one row a word: its meaning and its answer. The words of the
// protocol's state come from the machine (protocol/replicas), those of the process from here.

import type { DebugWords } from '../../protocol/machine/machine.js'
import type { Figures } from './registry.js'
import { VERSIONS } from './version.js'

export interface WordSources {
  readonly machine: { readonly debugWords: DebugWords }
  readonly figures: Pick<Figures, 'lines'>
  /** Name, cluster, state and uptime of the replica, a line each. */
  readonly summary: () => readonly string[]
  /** Links that could not be opened, a line each. */
  readonly unreached: () => readonly string[]
  /** The configuration, without secrets. */
  readonly conf: () => string
}

/** Older names, which scripts may use. */
const ALIASES: Readonly<Record<string, string>> = { clok: 'clock' }

export function debugWords(sources: WordSources): DebugWords {
  const own = sources.machine.debugWords
  const told = async (word: string): Promise<string> => (await own[word]?.answer()) ?? ''
  const join = (lines: readonly string[]): string => lines.filter(Boolean).join('\n')
  const words: DebugWords = {
    ...own,
    ruok: { meaning: 'imok, if the process answers', answer: () => 'imok' },
    stat: {
      meaning: 'a short summary',
      answer: async () => join([...sources.summary(), await told('stat')]),
    },
    mntr: { meaning: 'all metrics, tab-separated', answer: () => sources.figures.lines() },
    conf: { meaning: 'the configuration, without secrets', answer: () => sources.conf() },
    peer: {
      meaning: 'the other replicas, and when each was heard',
      answer: async () => join([await told('peer'), ...sources.unreached()]),
    },
    version: {
      meaning: 'versions of Troca, of its wire and of Node',
      answer: () => `troca ${VERSIONS.version}\nwire ${VERSIONS.wire}\nnode ${VERSIONS.node}`,
    },
    help: { meaning: 'this list', answer: () => help(words) },
  }
  return words
}

function help(words: DebugWords): string {
  const width = Math.max(...Object.keys(words).map(({ length }) => length))
  const rows = Object.entries(words)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, { meaning }]) => `${word.padEnd(width)}  ${meaning}`)
  const pages = 'GET /livez, GET /readyz and GET /metrics are answered as HTTP'
  return ['one word a connection:', ...rows, pages].join('\n')
}

export async function answerWord(words: DebugWords, word: string): Promise<string> {
  const name = ALIASES[word] ?? word
  if (!Object.hasOwn(words, name)) return 'unknown word; try: help'
  return words[name]!.answer()
}
