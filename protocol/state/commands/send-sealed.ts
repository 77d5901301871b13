// SEND_SEALED: a message that its sender's client sealed and signed, for a client-held account. It
// is stored as it came.

import { sameBytes, sha256 } from '../../bytes.js'
import { EnvelopeError } from '../../envelope/envelope-error.js'
import { readSignedHeader } from '../../envelope/signed.js'
import { ERRORS } from '../../errors.js'
import { bytes } from '../../schema/schema.js'
import { MAX_SEALED, recipient, seq, stream } from '../../schema/shared.js'
import { isClientHeld } from '../account.js'
import { NONE, type KeyNames } from '../decision.js'
import { decideSend, type SendCommand } from './sending.js'
import { defineCommand } from './define.js'
import { user } from './shapes.js'

interface SealedSend extends SendCommand {
  readonly sealed: Uint8Array
}

export const sendSealed = defineCommand({
  fields: {
    user,
    stream,
    seq,
    to: recipient,
    sealed: bytes(1, MAX_SEALED).means('The message as its client sealed and signed it.'),
  },
  weigh: ({ sealed }) => sealed.length,
  decidesDiverged: true,
  decide: (ledger, command, context, place) =>
    decideSend(ledger, command, context, place, {
      // No byte 0xff is in UTF-8, so this is never the digest of a text.
      digest: () => {
        const names = Buffer.from(`${command.user}\n${command.to}\n`, 'utf8')
        return sha256(names, Uint8Array.of(0xff), command.sealed)
      },
      whyRefused: (sender, recipient) => {
        if (!isClientHeld(recipient.secrets) || !isClientHeld(sender.secrets)) {
          return ERRORS.NOT_CLIENT_HELD.code
        }
        const fits = isForItsPlace(command, context.namesOf(sender), context.namesOf(recipient))
        return fits ? null : ERRORS.BAD_ENVELOPE.code
      },
      sealed: () => ({ shared: NONE, own: command.sealed }),
    }),
})

/**
 * Judged by the header, the only part that is readable here. Older keys count: a key rotation may
 * happen between sealing and execution.
 */
function isForItsPlace(command: SealedSend, sender: KeyNames, recipient: KeyNames): boolean {
  try {
    const header = readSignedHeader(command.sealed)
    const place = header.sender === command.user && header.recipient === command.to
    const keys = recipient.sealing.has(header.kid) && sender.signing.has(header.signer)
    return place && keys && header.seq === command.seq && sameBytes(header.stream, command.stream)
  } catch (error) {
    if (error instanceof EnvelopeError) return false
    throw error
  }
}
