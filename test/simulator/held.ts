// Users whose clients hold their keys. Such a user seals a signed envelope with a true header, and
// the readable text in the place of its ciphertext. The checks see a sealed message as a text made
// of all its bytes, so every rule of plain messages holds of sealed ones too.

import { EnvelopeError } from '../../protocol/envelope/envelope-error.js'
import { finishHeader, headerStart } from '../../protocol/envelope/header.js'
import type { HeldKey } from '../../protocol/envelope/held-keys.js'
import { field, joinParts } from '../../protocol/envelope/parts.js'
import { splitSigned } from '../../protocol/envelope/signed.js'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import { concat } from '../../protocol/rsa/octets.js'

/** A prefix that no text of the workload has. */
const SEALED = '\u0000sealed '
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** `pair` tells the keys of one user apart; messages are sealed for the first key, ''. */
export function heldKey(user: string, pair = ''): HeldKey {
  const signature = bytesOf(`signed by ${user}`)
  return {
    publicKey: bytesOf(`key${pair} of ${user}`),
    signing: {
      publicKey: bytesOf(`signer${pair} of ${user}`),
      ownSignature: signature,
      previousSignature: pair === '' ? new Uint8Array(0) : signature,
    },
  }
}

/** Every thirty-second message is sealed for the seq behind its own: it is refused. */
export function sealedBy(
  user: string,
  { stream, seq, to, text }: Pick<The<'SEND'>, 'stream' | 'seq' | 'to' | 'text'>,
): Uint8Array {
  const start = headerStart(`key of ${to}`, user, to, 'jwe', `signer of ${user}`)
  const envelope = joinParts({
    header: bytesOf(finishHeader(start, stream, seq % 32 === 31 ? seq + 1 : seq, 0)),
    encryptedKey: bytesOf('content key'),
    nonce: new Uint8Array(12),
    ciphertext: bytesOf(text),
    tag: new Uint8Array(16),
  })
  return concat(envelope, field('signature'))
}

/** A sealed message as a text. */
export function textOfSealed(sealed: Uint8Array): string {
  return SEALED + Buffer.from(sealed).toString('latin1')
}

/** The sealed bytes in a text; null: the text is of a plain message. */
export function sealedOfText(text: string): Uint8Array | null {
  return text.startsWith(SEALED) ? Buffer.from(text.slice(SEALED.length), 'latin1') : null
}

/** The message as the checks see it. */
export function asPlain(message: Message): Message {
  if (message.type === 'SEND_SEALED') {
    const { sealed, type: _type, ...place } = message
    return { ...place, type: 'SEND', text: textOfSealed(sealed) }
  }
  if (message.type !== 'PAGE' && message.type !== 'PUSH') return message
  if (message.messages.every(({ envelope }) => envelope === null)) return message
  return { ...message, messages: message.messages.map(shown) }
}

type Shown = The<'PAGE'>['messages'][number]

function shown(message: Shown): Shown {
  const { envelope } = message
  if (!envelope || !isSigned(envelope)) return message
  return { ...message, text: textOfSealed(envelope) }
}

function isSigned(body: Uint8Array): boolean {
  try {
    splitSigned(body)
    return true
  } catch (error) {
    if (error instanceof EnvelopeError) return false
    throw error
  }
}
