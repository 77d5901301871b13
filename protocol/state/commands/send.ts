// SEND: execution seals the text for its recipient; every replica computes the same envelope.

import { sha256 } from '../../bytes.js'
import { ERRORS } from '../../errors.js'
import { text } from '../../schema/schema.js'
import { MAX_TEXT, recipient, seq, stream } from '../../schema/shared.js'
import { isClientHeld } from '../account.js'
import { decideSend } from './sending.js'
import { defineCommand } from './define.js'
import { user } from './shapes.js'

export const send = defineCommand({
  fields: {
    user,
    stream,
    seq,
    to: recipient,
    text: text(MAX_TEXT, 'olá').means('The message, which execution encrypts.'),
  },
  weigh: (command) => Buffer.byteLength(command.text),
  sharedBy: ({ user, to }) => `${user} ${to}`,
  decidesDiverged: true,
  decide: (ledger, command, context, place) =>
    decideSend(ledger, command, context, place, {
      digest: () => sha256(`${command.user}\n${command.to}\n${command.text}`),
      whyRefused: (_sender, recipient) =>
        isClientHeld(recipient.secrets) ? ERRORS.CLIENT_HELD.code : null,
      sealed: (recipient) =>
        context.seal({
          recipientKey: context.keyOf(recipient),
          term: context.term,
          k: context.k,
          time: context.time,
          keySeed: context.keySeed,
          command: place,
          sender: command.user,
          recipient: command.to,
          stream: command.stream,
          seq: command.seq,
          text: command.text,
        }),
    }),
})
