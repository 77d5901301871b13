// Between processing replicas: the ring and the total order.

import {
  bool,
  bytes,
  list,
  message,
  oneOf,
  optional,
  record,
  text,
  uint,
  variant,
} from '../schema/schema.js'
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
  passwordCost,
  passwordSalt,
  request,
  runs,
  signingKey,
  slot,
  slots,
  stream,
  term,
  userName,
  wallTime,
} from '../schema/shared.js'

/** Who asked: a replica's life, and its number for the request. */
const origin = record({ slot, boot, id: request })

const accountKey = {
  publicKey: bytes(1, 2048),
  /** Empty where its owner's client alone holds it; then there is a signing key. */
  wrappedKey: bytes(0, 8192),
  signing: optional(signingKey),
}

export const account = {
  salt: passwordSalt,
  cost: passwordCost,
  verifierHash: bytes(32),
  ...accountKey,
  older: list(record(accountKey), MAX_KEYS - 1),
}

export const command = variant({
  register: {
    origin,
    name: userName,
    token: bytes(16),
    /** SHA-256 of its code. */
    invitation: optional(hash),
    /** Without one only the first account of all is made. */
    byInvitation: bool,
    ...account,
  },
  'open-stream': { origin, user: userName, stream },
  send: { origin, user: userName, stream, seq: uint(), to: userName, text: text(MAX_TEXT, 'olá') },
  /** Takes effect only where the account's version is the one that it was made from. */
  'change-account': { origin, user: userName, version: uint(), token: bytes(16), ...account },
  delete: { origin, user: userName, indices: list(index, MAX_DROP, 1) },
  'send-sealed': {
    origin,
    user: userName,
    stream,
    seq: uint(),
    to: userName,
    sealed: bytes(1, MAX_SEALED),
  },
  invite: {
    origin,
    user: userName,
    /** SHA-256 of its code. */
    invitation: hash,
    /** For so long after the order. */
    lasts: millis,
    /** As many as one account may have open. */
    most: uint(),
  },
  block: { origin, user: userName, name: userName, blocked: bool },
  /** As change-account, for the last time. */
  'delete-account': { origin, user: userName, version: uint(), token: bytes(16) },
})

export const RING_HEARTBEAT = message(
  0x40,
  'RING_HEARTBEAT',
  'Sign of life; what the sender holds, knows and reaches.',
  {
    /** The term that the sender coordinates; 0: none. */
    holds: term,
    newestTerm: term,
    /** Slot of a live coordinator that the sender vouches for, and its term; 0: none. */
    vouchesFor: slot,
    vouchedTerm: term,
    applied: index,
    committed: index,
    reaches: slots,
    /** Slot of its persistence home; 0: none. */
    home: slot,
    role: oneOf('follower', 'participant', 'claimant', 'coordinator'),
  },
)

export const ELECTION = message(
  0x41,
  'ELECTION',
  'Chang-Roberts: the candidate goes round the ring.',
  {
    round: uint(),
    candidate: slot,
    /** Links travelled; bounded, so that a candidate who died does not go round for ever. */
    hops: uint(255),
  },
)

export const COORDINATOR = message(
  0x42,
  'COORDINATOR',
  'Chang-Roberts: the winner, with its term, goes round once.',
  {
    term,
    slot,
    boot,
    hops: uint(255),
  },
)

export const PASS = message(0x43, 'PASS', 'Commands of clients, handed to the coordinator.', {
  commands: list(command, MAX_GROUP),
})

export const NOT_TAKEN = message(
  0x44,
  'NOT_TAKEN',
  'Answers PASS: these were refused before they had a place in the order.',
  {
    requests: list(request, MAX_GROUP),
    reason: oneOf('overloaded', 'not-coordinator'),
  },
)

export const ORDER = message(
  0x45,
  'ORDER',
  'The next commands of the term, with all the clock and chance that they may use.',
  {
    term,
    k: uint(),
    attempt: uint(16),
    /** L: the live ring when sent. */
    live: slots,
    /** Execute on the committed log at least through here. */
    base: index,
    time: wallTime,
    /** Fresh for every order and attempt. */
    seed: bytes(32),
    /** Secret of the current key epoch. */
    keySeed: bytes(32),
    /** The last attempt of an order that found no majority: refuse every command. */
    diverged: bool,
    commands: list(command, MAX_GROUP, 1),
  },
)

export const VOTE = message(0x46, 'VOTE', 'SHA-256 of what the order came to.', {
  term,
  k: uint(),
  attempt: uint(16),
  hash,
})

export const COMMITTED = message(
  0x47,
  'COMMITTED',
  'The order is in the log: its hash and where its parts are.',
  {
    term,
    k: uint(),
    hash,
    runs,
  },
)
