// Between processing replicas: the ring and the total order.

import { bool, bytes, list, message, oneOf, uint } from '../schema/schema.js'
import { commandField } from '../state/commands/registry.js'
import {
  MAX_GROUP,
  boot,
  hash,
  index,
  request,
  slot,
  slots,
  term,
  wallTime,
} from '../schema/shared.js'

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
  commands: list(commandField, MAX_GROUP),
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
    commands: list(commandField, MAX_GROUP, 1),
  },
)

export const VOTE = message(0x46, 'VOTE', 'SHA-256 of what the order came to.', {
  term,
  k: uint(),
  attempt: uint(16),
  hash,
})

export const COMMITTED = message(0x47, 'COMMITTED', 'The order is in the log, under this hash.', {
  term,
  k: uint(),
  hash,
})
