// Between processing replicas: the ring and the total order.

import { message } from '../schema/message.js'
import { record, variant } from '../schema/record.js'
import { bool, bytes, list, oneOf, optional, text, uint } from '../schema/schema.js'
import {
  MAX_DROP,
  MAX_GROUP,
  MAX_KEYS,
  MAX_SEALED,
  MAX_TEXT,
  boot,
  hash,
  index,
  millis,
  orderNumber,
  passwordCost,
  passwordSalt,
  publicKey,
  request,
  runs,
  seq,
  signingKey,
  slot,
  slots,
  stream,
  term,
  userName,
  wallTime,
} from '../schema/shared.js'

const origin = record({
  name: 'origin',
  meaning: 'The processing replica that a client asked, and its number for the request.',
  fields: {
    slot,
    boot,
    id: request.means(
      'Number that the replica gave the request, unique in one run of the process.',
    ),
  },
})

const accountKey = {
  publicKey: publicKey.means('Key that messages are sealed for: SubjectPublicKeyInfo, DER.'),
  wrappedKey: bytes(0, 8192).means(
    'Its private key, wrapped under the password; empty where the client alone holds it.',
  ),
  signing: optional(signingKey).means(
    'Key by which the client signs; nil: the service holds the private key.',
  ),
}

const olderKey = record({
  name: 'older key',
  meaning: 'A key that an account had before, which only reads.',
  fields: accountKey,
})

export const account = {
  salt: passwordSalt,
  cost: passwordCost,
  verifierHash: bytes(32).means('SHA-256 of the half of scrypt that checks the password.'),
  ...accountKey,
  older: list(olderKey, MAX_KEYS - 1).means('The keys before, newest first.'),
}

const user = userName.means('Name of the user that asked.')
const token = bytes(16).means('Token of the request: a repeated one is known by it.')
const recipient = userName.means('Name of the recipient.')
const version = uint().means('Version of the account that the change was made from; else refused.')

export const command = variant({
  name: 'command',
  meaning: 'What a client has asked for and takes a place in the order.',
  choices: {
    register: {
      origin,
      name: userName.means('Name of the new account.'),
      token,
      invitation: optional(hash).means("SHA-256 of the invitation's code; nil: there was none."),
      byInvitation: bool.means('True: without an invitation only the very first account is made.'),
      ...account,
    },
    'open-stream': { origin, user, stream },
    send: {
      origin,
      user,
      stream,
      seq,
      to: recipient,
      text: text(MAX_TEXT, 'olá').means('The message, which execution encrypts.'),
    },
    'change-account': { origin, user, version, token, ...account },
    delete: {
      origin,
      user,
      indices: list(index, MAX_DROP, 1).means('Log indices of the messages to delete.'),
    },
    'send-sealed': {
      origin,
      user,
      stream,
      seq,
      to: recipient,
      sealed: bytes(1, MAX_SEALED).means('The message as its client sealed and signed it.'),
    },
    invite: {
      origin,
      user,
      invitation: hash.means("SHA-256 of the invitation's code."),
      lasts: millis.means('Time after that of the order at which the invitation expires.'),
      most: uint().means('Invitations that one account may have open.'),
    },
    block: {
      origin,
      user,
      name: userName.means('Name of the user to block or unblock.'),
      blocked: bool.means('True: block; false: unblock.'),
    },
    'delete-account': { origin, user, version, token },
  },
})

const hops = uint({ max: 255 }).means(
  'Links travelled so far; bounded, so that no message goes round for ever.',
)
const attempt = uint({ max: 16 }).means('Which try at the order this is, from 1.')

export const RING_HEARTBEAT = message({
  tag: 0x40,
  name: 'RING_HEARTBEAT',
  by: 'processing',
  meaning: 'Sign of life: what the sender holds, knows and reaches.',
  fields: {
    holds: term.means('Term that the sender coordinates; 0: none.'),
    newestTerm: term.means('Newest term that the sender knows.'),
    vouchesFor: slot.means('Slot of a live coordinator that the sender hears itself; 0: none.'),
    vouchedTerm: term.means('Term of that coordinator; 0: none.'),
    applied: index.means('Log index up to which the sender has applied the log.'),
    committed: index.means('Log index up to which the sender knows the log to be committed.'),
    reaches: slots.means('Slots of the processing replicas that the sender reaches, with its own.'),
    home: slot.means('Slot of the persistence replica that the sender works with; 0: none.'),
    role: oneOf('follower', 'participant', 'claimant', 'coordinator').means(
      'Role of the sender: it follows, is in an election, claims a term, or coordinates.',
    ),
  },
})

export const ELECTION = message({
  tag: 0x41,
  name: 'ELECTION',
  by: 'processing',
  meaning: 'Chang-Roberts: the candidate goes round the ring.',
  fields: {
    round: uint().means('Number that the candidate gave this round.'),
    candidate: slot.means('Slot of the candidate, the highest met so far.'),
    hops,
  },
})

export const COORDINATOR = message({
  tag: 0x42,
  name: 'COORDINATOR',
  by: 'processing',
  meaning: 'Chang-Roberts: the winner, with its term, goes round once.',
  fields: {
    term: term.means('Term that the winner owns.'),
    slot: slot.means('Slot of the winner.'),
    boot: boot.means('Boot of the winner: random at each start of its process.'),
    hops,
  },
})

export const PASS = message({
  tag: 0x43,
  name: 'PASS',
  by: 'processing',
  answers: ['NOT_TAKEN'],
  meaning:
    'Commands of clients, handed to the coordinator; those that it takes come back in ORDER.',
  fields: {
    commands: list(command, MAX_GROUP).means('The commands, in the order that they came in.'),
  },
})

export const NOT_TAKEN = message({
  tag: 0x44,
  name: 'NOT_TAKEN',
  by: 'processing',
  meaning: 'These commands were refused before they had a place in the order.',
  fields: {
    requests: list(request, MAX_GROUP).means('Their numbers, as their origins gave them.'),
    reason: oneOf('overloaded', 'not-coordinator').means('Why they were refused.'),
  },
})

export const ORDER = message({
  tag: 0x45,
  name: 'ORDER',
  by: 'processing',
  answers: ['VOTE'],
  meaning: 'The next commands of the term, with all the clock and chance that they may use.',
  fields: {
    term,
    k: orderNumber,
    attempt,
    live: slots.means('Slots of the live ring when the order was sent: L, which votes.'),
    base: index.means('Log index up to which the log must at least be applied before executing.'),
    time: wallTime.means('The only clock that the commands may use.'),
    seed: bytes(32).means('The only chance that they may use; fresh for each order and attempt.'),
    keySeed: bytes(32).means('Secret that the content keys of this key epoch are derived from.'),
    diverged: bool.means('True: the last attempt, without a majority before: refuse each command.'),
    commands: list(command, MAX_GROUP, 1).means('The commands, in this order.'),
  },
})

export const VOTE = message({
  tag: 0x46,
  name: 'VOTE',
  by: 'processing',
  meaning: 'What the sender came to when it executed the order.',
  fields: {
    term,
    k: orderNumber,
    attempt,
    hash: hash.means('SHA-256 of all entries that the order came to.'),
  },
})

export const COMMITTED = message({
  tag: 0x47,
  name: 'COMMITTED',
  by: 'processing',
  meaning: 'The order is in the log.',
  fields: {
    term,
    k: orderNumber,
    hash: hash.means('SHA-256 of all entries of the order, as the majority voted.'),
    runs,
  },
})
