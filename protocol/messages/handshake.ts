// The first words on every connection, and the last.

import { bool, message, oneOf, optional, text, uint } from '../schema/schema.js'
import { boot, millis, request, slot } from '../schema/shared.js'

export const HELLO = message(
  0x01,
  'HELLO',
  'Opens a connection: who speaks, and what it can speak.',
  {
    minVersion: uint(255),
    maxVersion: uint(255),
    clusterId: text(64, 'troca-7c2f'),
    role: oneOf('client', 'processing', 'persistence'),
    slot,
    boot,
    lane: oneOf('main', 'bulk'),
  },
)

export const WELCOME = message(
  0x02,
  'WELCOME',
  'Answers HELLO: the version chosen, who answers, and its limits.',
  {
    version: uint(255),
    clusterId: text(64, 'troca-7c2f'),
    role: oneOf('client', 'processing', 'persistence'),
    slot,
    boot,
    /** 0: none is known just now. */
    coordinator: slot,
    maxFrame: uint(undefined, 'bytes'),
    /** Requests that a client may have unanswered. */
    credit: uint(65_535),
    heartbeat: millis,
  },
)

export const GOODBYE = message(
  0x03,
  'GOODBYE',
  'The sender closes in good order; nothing follows.',
  {
    reason: text(512),
  },
)

export const ERROR = message(
  0x04,
  'ERROR',
  'A request was not done, or (request 0) the connection is about to be closed.',
  {
    request,
    code: uint(65_535),
    text: text(1024),
    /** The thing asked for certainly did not happen. */
    definite: bool,
    /** When it makes sense to try again; nil: not by waiting. */
    retryAfter: optional(millis),
    /** OUT_OF_ORDER: the seq that comes next in the stream. */
    expected: optional(uint()),
  },
)

export const PING = message(0x05, 'PING', 'Sign of life; answered by PONG.', { nonce: uint() })
export const PONG = message(0x06, 'PONG', 'Answers PING.', { nonce: uint() })
