// Advice on a new password or passphrase: how many guesses zxcvbn expects to need. Advice only; the
// service has its own floor, and the estimate's dictionaries are loaded only here, when they are needed.

import { note } from './output.js'
import { say } from './texts.js'

/** From this score on, zxcvbn takes a password for safe where each guess costs a slow hash. */
const STRONG = 3
/** The estimate takes longer for a longer text, which needs no advice. */
const MAX_LENGTH = 128

/** The expected guesses as a power of ten; null: strong enough. `known`: words an attacker tries. */
async function weakness(secret: string, known: readonly string[]): Promise<number | null> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs: graphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  const estimator = new ZxcvbnFactory({ graphs, dictionary })
  const { score, guessesLog10 } = estimator.check(secret.slice(0, MAX_LENGTH), [...known])
  return score < STRONG ? Math.round(guessesLog10) : null
}

/** Notes that a new secret is weak, if it is. */
export async function advise(secret: string, known: readonly string[] = []): Promise<void> {
  const power = await weakness(secret, known)
  if (power !== null) note(say('weakSecret', { guesses: (10 ** power).toLocaleString('en') }))
}
