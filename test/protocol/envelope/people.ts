// Three client-held accounts for tests. OpenSSL makes their keys, because it is fast.

import { generateKeyPairSync } from 'node:crypto'
import type { HeldKey, KeyPair } from '../../../protocol/envelope/held-keys.js'
import { publish } from '../../../protocol/envelope/held-keys.js'
import type { Opener } from '../../../protocol/envelope/open.js'
import { openerOf } from '../../../protocol/envelope/open.js'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import { privateKeyFromPem } from '../../../protocol/rsa/pem.js'
import type { RsaPrivateKey } from '../../../protocol/rsa/keys.js'
import { entropy } from '../rsa/fixtures.js'

export function newKey(modulusLength = 2048): RsaPrivateKey {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return privateKeyFromPem(privateKey, entropy, { rounds: 1 })
}

export interface OwnPair extends KeyPair {
  readonly sealing: RsaPrivateKey
}

export class Person {
  readonly name: string
  /** The keys, newest first. */
  pairs: OwnPair[] = []
  published: HeldKey[] = []

  constructor(name: string) {
    this.name = name
    this.rotate()
  }

  rotate(): void {
    const pair = { sealing: newKey(), signing: newKey() }
    const number = this.pairs.length + 1
    const previous = this.pairs[0]?.signing ?? null
    this.published.unshift(publish(this.name, number, pair, previous, entropy))
    this.pairs.unshift(pair)
  }

  get pair(): OwnPair {
    return this.pairs[0]!
  }

  get fingerprint(): string {
    return thumbprint(this.pair.signing)
  }

  get openers(): Opener[] {
    return this.pairs.map(({ sealing }) => openerOf(sealing, entropy))
  }
}
