// Cheap stand-ins for the long computations and the envelope. They keep the shape of the real
// ones: a key opens only what was sealed for it, a password only its own account, and every bit of
// the seal's input changes its bytes.

import type { Entropy } from '../../protocol/machine.js'
import type { Job, JobResult } from '../../protocol/replicas/compute.js'
import type { RecipientKey, Seal } from '../../protocol/order/seal.js'

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** FNV-1a, twice 32 bits: enough to tell inputs apart, and fast. */
function digest(text: string): string {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b)
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`
}

const privateKeyOf = (name: string): string => `private:${name}`

export function compute(job: Job, entropy: Entropy): JobResult {
  switch (job.kind) {
    case 'create-account': {
      const name = hex(entropy(8))
      return {
        kind: 'create-account',
        privateKey: bytesOf(privateKeyOf(name)),
        secrets: {
          salt: entropy(16),
          cost: { logN: 1, r: 1, p: 1 },
          verifierHash: bytesOf(digest(job.password).padEnd(32, '.').slice(0, 32)),
          publicKey: bytesOf(name),
          wrappedKey: bytesOf(JSON.stringify([job.password, privateKeyOf(name)])),
        },
      }
    }
    case 'unlock': {
      if (!job.secrets) return { kind: 'unlock', privateKey: null }
      const [password, key] = JSON.parse(textOf(job.secrets.wrappedKey)) as [string, string]
      return { kind: 'unlock', privateKey: password === job.password ? bytesOf(key) : null }
    }
    case 'open': {
      // Too many wait, or a worker died.
      if (entropy(1)[0]! < 3) return { kind: 'failed', reason: 'busy' }
      const key = textOf(job.privateKey)
      return { kind: 'open', texts: job.envelopes.map((envelope) => open(envelope, key)) }
    }
  }
}

export const readKey = (publicKey: Uint8Array): RecipientKey => ({
  kid: textOf(publicKey),
  bits: 2048,
})

export const seal: Seal = (input) => {
  const { recipientKey, term, k, command, sender, recipient, seq, time, text } = input
  const place = [term, k, command, sender, recipient, hex(input.stream), seq, time]
  const proof = digest(JSON.stringify([...place, hex(input.keySeed), text]))
  return bytesOf(JSON.stringify([recipientKey.kid, text, proof]))
}

function open(envelope: Uint8Array, privateKey: string): string | null {
  try {
    const [kid, text] = JSON.parse(textOf(envelope)) as [string, string]
    return privateKeyOf(kid) === privateKey ? text : null
  } catch {
    return null
  }
}
