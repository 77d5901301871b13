// The names of everything that a run can reach. A reached state without a name here is counted too;
// a name that no run reaches is a hole.

import { ERRORS } from '../../../protocol/errors.js'
import { CONVERSATIONS } from '../../../protocol/messages/catalogue.js'
import { FAULTS } from '../faults/storm.js'
import { SITUATIONS } from './situations.js'

const { client, handshake, ring, logService, persistence } = CONVERSATIONS

/** Messages that runs reach. A simulated connection has no hello and no heartbeat of its own. */
const MESSAGES = [
  handshake.ERROR.name,
  handshake.GOODBYE.name,
  ...[client, ring, logService, persistence].flatMap((conversation) =>
    Object.values(conversation).map(({ name }) => name),
  ),
]

/** Events that the machines log; a test holds this to their source. */
export const LOG_EVENTS = [
  'append-conflict',
  'append-too-old',
  'claim-failed',
  'claiming',
  'clock-jump',
  'coordinator',
  'clock-ahead',
  'order-time-ahead',
  'draining',
  'file-rolled-back',
  'home',
  'invalid-message',
  'late-disagreement',
  'new-incarnation',
  'no-majority',
  'outvoted',
  'own-result-in-the-minority',
  'peer-silent',
  'snapshot-discarded',
  'snapshot-loaded',
  'snapshot-not-saved',
  'state-not-of-this-log',
  'stopped-coordinating',
  'term-refuted',
  'too-few-files',
  'view-active',
  'view-installed',
  'view-proposal-failed',
  'view-proposed',
  'write-failed',
] as const

/**
 * Transitions between the statuses of a persistence replica, and between the roles of a processing
 * replica.
 */
const TRANSITIONS = [
  'start → outside',
  'start → learner',
  'outside → changing',
  'outside → learner',
  'learner → changing',
  'changing → learner',
  'changing → outside',
  'changing → normal',
  'changing → holding',
  'normal → changing',
  'normal → outside',
  'normal → learner',
  'normal → holding',
  'holding → normal',
  'holding → changing',
  'holding → outside',
  'holding → learner',
  'start → follower',
  'follower → participant',
  'follower → claimant',
  'participant → follower',
  'participant → claimant',
  'claimant → follower',
  'claimant → coordinator',
  'coordinator → follower',
] as const

/** Answers with an outcome; those that would break C2 are left out. */
const ANSWERS = [
  'CLAIMED won',
  'CLAIMED lost',
  'CLAIMED leased',
  'CLAIMED not-serving',
  'NOT_APPENDED not-serving',
  'NOT_APPENDED full',
  'NOT_APPENDED overloaded',
  'REJECTED overloaded',
  'REJECTED not-coordinator',
  'CONSENT granted',
  'CONSENT refused',
] as const

/** Log events that would break C2. */
const NEVER: readonly string[] = ['append-conflict', 'append-too-old']

/**
 * Errors of the daemons or the library: a simulated connection has no invalid frames and no
 * handshake.
 */
const NOT_SIMULATED: readonly string[] = [
  'BAD_FRAME',
  'FORBIDDEN',
  'LOGIN_TIMEOUT',
  'SLOW_READER',
  'TOO_LONG',
  'TOO_MANY_CONNECTIONS',
  'TOO_SLOW',
  'WRONG_CLUSTER',
  'WRONG_HISTORY',
  'WRONG_VERSION',
]

/**
 * Errors and events that only a lying replica or client causes: the fuzzer's clusters have liars,
 * and must reach them.
 */
export const OF_LIARS: readonly string[] = [
  'error INVALID_MESSAGE',
  'log invalid-message',
  'log clock-jump',
]

/** Errors and answers that take more than a run has. */
const NOT_REACHED: readonly string[] = [
  // More users than a run has.
  'error TOO_MANY_BLOCKED',
  // More minutes than a run has.
  'error TOO_MANY_REGISTRATIONS',
  // More orders under way: a store queues more than a coordinator ever has.
  'answer NOT_APPENDED overloaded',
]

const NOT_KNOWN = new Set([...NOT_REACHED, ...OF_LIARS])

const NAMES = [
  ...SITUATIONS,
  ...TRANSITIONS,
  ...ANSWERS.map((name) => `answer ${name}`),
  ...Object.keys(ERRORS)
    .filter((name) => !NOT_SIMULATED.includes(name))
    .map((name) => `error ${name}`),
  ...LOG_EVENTS.filter((name) => !NEVER.includes(name)).map((name) => `log ${name}`),
  ...MESSAGES.map((name) => `message ${name}`),
  ...Object.keys(FAULTS).map((name) => `fault ${name}`),
].filter((name) => !NOT_KNOWN.has(name))

export const knownNames = (): readonly string[] => NAMES
