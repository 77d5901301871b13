// Waits until a replica that was started serves again and has caught up.

import type { Context } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { clearProgress } from '../output.js'
import { hasCaughtUp } from './replicas.js'
import { say } from './texts.js'

const POLL_MS = 200

/** Throws a Failure when the replica has not caught up within the command's time-out from now. */
export async function awaitReplica({ dir, timeoutMs }: Context, name: string): Promise<void> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const { done, reason } = await hasCaughtUp(dir, name)
    if (done) return clearProgress()
    if (performance.now() > until) {
      const seconds = timeoutMs / 1_000
      throw new Failure(EXIT.timedOut, say('notBack', { name, seconds, reason }))
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
