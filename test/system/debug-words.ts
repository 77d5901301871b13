// The words of the debug port, as people know them. The secrets search and the fuzzer ask all of them;
// a test compares the list with `help` of a live replica.

export const WORDS = [
  'ruok',
  'stat',
  'mntr',
  'conf',
  'ring',
  'turn',
  'view',
  'clock',
  'clok',
  'log',
  'peer',
  'version',
  'help',
]
