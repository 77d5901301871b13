// A signed message whose signature was taken away, on every path that opens a body: none gives its
// text, and none names its signer.

import { createPrivateKey } from 'node:crypto'
import { compactDecrypt } from 'jose'
import t from 'tap'
import { carryOut } from '../../../clients/e2e/jobs.js'
import { toSealedMessage } from '../../../clients/subscription.js'
import { Computations } from '../../../daemons/workers/computations.js'
import { EnvelopeError } from '../../../protocol/envelope/envelope-error.js'
import { readHeader } from '../../../protocol/envelope/header.js'
import { openJwe } from '../../../protocol/envelope/jwe.js'
import { openEnvelope, openWith } from '../../../protocol/envelope/open.js'
import { toBase64url, toCompact } from '../../../protocol/envelope/parts.js'
import {
  openSigned,
  readSignedHeader,
  sealSigned,
  signedToCompact,
  splitSigned,
} from '../../../protocol/envelope/signed.js'
import { encodePkcs8 } from '../../../protocol/rsa/formats.js'
import { privateKeyToPem } from '../../../protocol/rsa/pem.js'
import { Person } from '../../protocol/envelope/people.js'
import { entropy } from '../../protocol/rsa/fixtures.js'

t.setTimeout(120_000)

const [alice, bob] = [new Person('alice'), new Person('bob')]
const { sealing } = bob.pair
const signers = [alice.pair.signing]
const place = { sender: 'alice', recipient: 'bob', stream: new Uint8Array(16).fill(7), seq: 3 }
const body = sealSigned(
  { ...place, time: 5, recipientKey: sealing, signingKey: alice.pair.signing, text: 'the mill' },
  entropy,
)
const { envelope, signature } = splitSigned(body)
const refusal = new EnvelopeError()
const noProgress = (): void => {}

t.test('the service opens no signed body, with its signature or without', (t) => {
  for (const stored of [envelope, body]) {
    t.throws(() => openEnvelope(stored, sealing, entropy), refusal)
    t.throws(() => openWith(bob.openers[0]!, stored, { ...place, time: 5 }), refusal)
    const job = {
      kind: 'open',
      privateKeys: [encodePkcs8(sealing)],
      envelopes: [stored],
      places: [readHeader(envelope)],
    } as const
    t.same(new Computations().run(job, noProgress), { kind: 'open', texts: [null] })
  }
  t.end()
})

t.test('a client opens only the whole body', (t) => {
  const open = (stored: Uint8Array) =>
    carryOut(
      {
        kind: 'open',
        sealingKeys: [encodePkcs8(sealing)],
        found: [{ body: stored, place, signers }],
      },
      noProgress,
    )
  t.same(open(body), [{ text: 'the mill', time: 5 }])
  t.same(open(envelope), [null])
  t.throws(() => openSigned(envelope, place, bob.openers, signers), refusal)
  t.throws(() => readSignedHeader(envelope), refusal)
  t.end()
})

t.test('an export has the signature, and opens with nothing less', async (t) => {
  const message = { index: 1, from: 'alice', to: 'bob', ...place, time: 5, text: null }
  const { jwe } = toSealedMessage({ ...message, envelope: body }, true)
  t.equal(jwe, `${toCompact(envelope)}.${toBase64url(signature)}`)
  const opened = openJwe(jwe, [sealing], entropy, [bob.pair.signing, ...signers])
  t.equal(Buffer.from(opened.plaintext).toString(), 'the mill')
  t.equal(opened.header['skid'], alice.fingerprint)

  const stripped = { name: 'BROKEN_PEER' }
  t.throws(() => toSealedMessage({ ...message, envelope }, true), stripped)
  const other = sealSigned(
    { ...place, time: 6, recipientKey: sealing, signingKey: alice.pair.signing, text: 'another' },
    entropy,
  )
  const foreign = toBase64url(splitSigned(other).signature)
  const cut = toCompact(envelope)
  for (const text of [cut, `${cut}.`, `${cut}.${foreign}`, `${jwe}.${foreign}`]) {
    t.throws(() => openJwe(text, [sealing], entropy, signers), refusal)
  }
  t.throws(() => openJwe(jwe, [sealing], entropy), refusal, "without the signer's key")
  t.throws(() => openJwe(jwe, [sealing], entropy, [bob.pair.signing]), refusal)
  t.equal(signedToCompact(body), jwe)
  const key = createPrivateKey(privateKeyToPem(sealing))
  await t.rejects(compactDecrypt(jwe, key), { message: 'Invalid Compact JWE' }, 'a JOSE library')
})
