// The error catalogue: stable codes, never reused. `definite`: the request certainly had no effect.
// `retriable`: the same request may succeed later. 1xx: faults of the request; 2xx: the state of
// the cluster; 3xx: the connection. Codes below 200 may also stand in a log entry as its command's
// answer.

interface Kind {
  readonly code: number
  readonly text: string
  readonly retriable: boolean
  readonly definite: boolean
  /** The next step, for people. */
  readonly hint: string
}

const final = (code: number, text: string, hint: string): Kind => ({
  code,
  text,
  retriable: false,
  definite: true,
  hint,
})
const later = (code: number, text: string, hint: string, definite = true): Kind => ({
  code,
  text,
  retriable: true,
  definite,
  hint,
})

export const ERRORS = {
  NAME_TAKEN: final(101, 'this name is taken', 'choose another name, or log in'),
  NO_SUCH_USER: final(102, 'no such user', 'check the name; the recipient must have registered'),
  BAD_CREDENTIALS: final(103, 'unknown user or wrong password', 'check both and log in again'),
  NOT_LOGGED_IN: final(104, 'not logged in', 'log in first'),
  BAD_REQUEST: final(105, 'the request is not well-formed', 'see the text for what is needed'),
  NO_SUCH_STREAM: final(106, 'this stream is not open', 'open it first'),
  CONFLICT: final(107, 'this seq of the stream has another message', 'never reuse a seq'),
  OUT_OF_ORDER: later(108, 'a message before this one is missing', 'send from the expected seq on'),
  OLD_DUPLICATE: {
    code: 109,
    text: 'this request was answered long ago',
    retriable: false,
    definite: false,
    hint: 'do not send it again; its answer is no longer kept',
  },
  DIVERGED: final(110, 'the replicas could not agree on the outcome', 'report this; send again'),
  BAD_NAME: final(111, 'not a valid name', 'use 1 to 32 of a-z 0-9 . _ - and begin with a letter'),
  TOO_LONG: final(112, 'the text is too long', 'send the text in parts'),
  ACCOUNT_CHANGED: final(
    113,
    'another request has just changed the account',
    'log in, check the account, and try again if needed',
  ),
  TOO_MANY_KEYS: final(114, 'the account has as many keys as it may', 'keep using the newest key'),
  CLIENT_HELD: final(
    115,
    'the recipient holds its own keys, so the service accepts no plaintext for it',
    'send from an account made by: troca register NAME --e2e',
  ),
  NOT_CLIENT_HELD: final(
    116,
    'sealed messages need client-held accounts on both sides',
    'send plain text, or use accounts made by: troca register NAME --e2e',
  ),
  BAD_ENVELOPE: final(
    117,
    'the envelope does not belong to this place',
    'it must name this sender, recipient, stream and seq, and published keys of both accounts',
  ),
  BAD_KEYS: final(
    118,
    'these keys cannot be published for this account',
    'the previous signing key must vouch for them; see docs/SECURITY.md',
  ),
  NOT_HERE: final(
    119,
    'the service does not have the private keys of this account',
    'use the key file on the machine where the account was registered',
  ),
  BAD_KEY: final(120, 'this key cannot be added', 'see the text for the reason; use another key'),
  REGISTRATION_CLOSED: final(
    121,
    'registration is closed here',
    'log in if you have an account, or ask the operator: registration in cluster.yaml',
  ),
  INVITATION_NEEDED: final(
    122,
    'registration needs an invitation',
    'log in if you have an account, or ask a user for an invitation: troca invite',
  ),
  BAD_INVITATION: final(
    123,
    'this invitation is not open: unknown, used before, or expired',
    'log in if you have an account, check the code, or ask for a new one: troca invite',
  ),
  TOO_MANY_INVITATIONS: final(
    124,
    'the account has as many open invitations as it may',
    'wait until one is used or expires',
  ),
  BLOCKED: final(
    125,
    'the recipient has blocked this account',
    'only the recipient can undo the block',
  ),
  TOO_MANY_BLOCKED: final(
    126,
    'the block list is as long as it may be',
    'remove a name from it: troca block --remove NAME',
  ),
  BAD_PASSWORD: final(
    128,
    'this password cannot be chosen',
    'choose a longer one without control characters; a few random words are easy to remember',
  ),
  STREAM_CLOSED: final(127, 'this stream is closed', 'open another stream and send there'),
  OVERLOADED: later(201, 'the replica is overloaded', 'try again after a while'),
  NOT_READY: later(202, 'there is no coordinator at present', 'try again; troca status shows why'),
  NO_QUORUM: later(203, 'too few persistence replicas', 'start the missing ones; see troca status'),
  UNKNOWN_OUTCOME: later(204, 'the outcome is unknown', 'repeat it with the same seq', false),
  STORAGE_FULL: later(205, 'the disk is full', 'make room on the persistence replicas'),
  SHUTTING_DOWN: later(206, 'the replica is being stopped', 'use another replica'),
  RATE_LIMITED: later(207, 'this user sends too fast', 'wait as long as the error says'),
  MAILBOX_FULL: later(
    208,
    'the mailbox of the recipient is full',
    'try again when its owner has deleted messages: troca delete',
  ),
  TOO_MANY_ATTEMPTS: later(
    209,
    'too many wrong passwords from this address',
    'wait as long as the error says; other addresses are not affected',
  ),
  TOO_MANY_REGISTRATIONS: later(
    210,
    'too many registrations from this address',
    'wait as long as the error says',
  ),
  ADDRESS_BUSY: later(
    211,
    'this address has too many requests under way',
    'wait for the answers to earlier requests',
  ),
  BAD_FRAME: final(301, 'the frame is malformed', 'this is a fault of the sender'),
  BAD_STATE: final(302, 'this message does not belong here', 'this is a fault of the sender'),
  WRONG_CLUSTER: final(303, 'this is another cluster', 'check the cluster id of both sides'),
  WRONG_HISTORY: final(
    312,
    'this log has another history',
    'take the configuration of the replicas that serve; their data too, if they were restored',
  ),
  WRONG_VERSION: final(304, 'no protocol version in common', 'upgrade the older side'),
  FORBIDDEN: final(
    305,
    'the certificate does not allow this',
    'check role and id of the certificate',
  ),
  SLOW_READER: later(306, 'this client reads too slowly', 'reconnect and read on', false),
  SESSION_ENDED: later(
    307,
    'the account was changed: another password, another key, or it was deleted',
    'log in again',
    false,
  ),
  TOO_MANY_CONNECTIONS: later(
    308,
    'too many connections from this address',
    'close some, or wait until others have ended',
  ),
  TOO_SLOW: later(309, 'a handshake or frame took too long', 'connect and send again', false),
  LOGIN_TIMEOUT: later(
    311,
    'the connection had no log-in and no request for too long',
    'connect again and log in',
    false,
  ),
  INVALID_MESSAGE: final(310, 'the message contradicts itself', 'this is a fault of the sender'),
} as const satisfies Record<string, Kind>

export type ErrorName = keyof typeof ERRORS

const BY_CODE = new Map<number, string>(
  Object.entries(ERRORS).map(([name, kind]) => [kind.code, name]),
)

export function errorName(code: number): ErrorName | undefined {
  return BY_CODE.get(code) as ErrorName | undefined
}
