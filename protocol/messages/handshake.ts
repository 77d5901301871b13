// The handshake of every connection, and its last messages.

import { message } from '../schema/message.js'
import { bool, oneOf, optional, text, uint } from '../schema/schema.js'
import { boot, clusterId, historyId, millis, slot } from '../schema/shared.js'

const version = uint({ max: 255 })
const role = oneOf('client', 'processing', 'persistence')
const pingNonce = uint()

export const HELLO = message({
  tag: 0x01,
  name: 'HELLO',
  by: 'either',
  answers: ['WELCOME'],
  meaning:
    'The side that dialled opens the connection: what it is, and which versions it can speak.',
  fields: {
    minVersion: version.means('Lowest protocol version that the sender can speak.'),
    maxVersion: version.means('Highest protocol version that the sender can speak.'),
    clusterId: clusterId.means('Id of the cluster that is meant; a client may leave it empty.'),
    historyId: historyId.means("History of the sender's log; a client leaves it empty."),
    role: role.means('What the sender is; the certificate of a replica must say the same.'),
    slot: slot.means('Slot of a replica within its tier, as in its certificate; a client says 0.'),
    boot: boot.means(
      'Random at each start of the process, hexadecimal; a client may say anything.',
    ),
    lane: oneOf('main', 'bulk').means(
      'Connections for long pages between replicas are bulk; a client says main.',
    ),
  },
})

export const WELCOME = message({
  tag: 0x02,
  name: 'WELCOME',
  by: 'either',
  meaning: 'The replica that was dialled accepts the connection, and states its limits.',
  fields: {
    version: version.means('Protocol version that both speak from here on.'),
    clusterId,
    historyId,
    role: role.means('Tier of the replica that answers.'),
    slot: slot.means('Slot of the replica that answers.'),
    boot,
    coordinator: slot.means('Slot of the replica that orders commands just now; 0: none is known.'),
    maxFrame: uint({ unit: 'bytes' }).means('Longest frame accepted on this connection.'),
    credit: uint({ max: 65_535 }).means('Requests that a client may have unanswered at a time.'),
    heartbeat: millis.means('Silence after which the client should send PING.'),
  },
})

export const GOODBYE = message({
  tag: 0x03,
  name: 'GOODBYE',
  by: 'either',
  meaning: 'The sender closes in good order; nothing follows.',
  fields: { reason: text(512).means('Why, in words, for people.') },
})

export const ERROR = message({
  tag: 0x04,
  name: 'ERROR',
  by: 'either',
  meaning: 'A request was not done, or (request 0) the connection is about to be closed.',
  fields: {
    request: uint({ unit: 'request id' }).means(
      'Id of the request that was not done; 0: the connection ends.',
    ),
    code: uint({ max: 65_535 }).means(
      'Code of the error; the codes are listed under Errors below.',
    ),
    text: text(1024).means('What is wrong and what to do, in words, for people.'),
    definite: bool.means('True: the thing asked for certainly did not happen.'),
    retryAfter: optional(millis).means(
      'Time to wait before the next try; nil: waiting does not help.',
    ),
    expected: optional(uint()).means(
      'With OUT_OF_ORDER: the seq that comes next in the stream; otherwise nil.',
    ),
  },
})

export const PING = message({
  tag: 0x05,
  name: 'PING',
  by: 'either',
  answers: ['PONG'],
  meaning: 'Asks the other side for a PONG.',
  fields: { nonce: pingNonce.means('Any number; PONG repeats it.') },
})

export const PONG = message({
  tag: 0x06,
  name: 'PONG',
  by: 'either',
  meaning: 'Answers a PING: the sender is alive.',
  fields: { nonce: pingNonce.means('The number of the PING.') },
})
