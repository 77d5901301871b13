// The error catalogue: stable codes, never reused. `definite`: the thing asked for certainly did
// not happen. `retriable`: the same request may succeed later. 1xx: what was asked; 2xx: the state
// of the cluster; 3xx: the connection. Codes below 200 may also stand in a log entry as the answer
// to its command.

interface Kind {
  readonly code: number
  readonly text: string
  readonly retriable: boolean
  readonly definite: boolean
  /** What to do next. */
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
  BAD_REQUEST: final(105, 'the request is not well-formed', 'see the text for what was expected'),
  NO_SUCH_STREAM: final(106, 'this stream is not open', 'open it first'),
  CONFLICT: final(107, 'this place of the stream holds another message', 'never reuse a seq'),
  OUT_OF_ORDER: later(108, 'a message before this one is missing', 'send from the expected seq on'),
  OLD_DUPLICATE: {
    code: 109,
    text: 'this was answered long ago',
    retriable: false,
    definite: false,
    hint: 'it was dealt with; its answer is no longer kept',
  },
  DIVERGED: final(110, 'the replicas could not agree on the outcome', 'report this; send again'),
  BAD_NAME: final(111, 'not a valid name', '1 to 32 of a-z 0-9 . _ - opening with a letter'),
  TOO_LONG: final(112, 'the text is too long', 'send it in parts'),
  ACCOUNT_CHANGED: final(
    113,
    'the account was changed by another request just before',
    'log in, see whether it is as it should be, and try again if not',
  ),
  TOO_MANY_KEYS: final(114, 'the account has as many keys as it may', 'it can have no new one'),
  CLIENT_HELD: final(
    115,
    'the recipient alone holds its keys, so the service takes no plaintext for it',
    'send from an account made by: troca register NAME --e2e',
  ),
  NOT_CLIENT_HELD: final(
    116,
    'sealed messages are between client-held accounts',
    'send it as plain text, or from an account made by: troca register NAME --e2e',
  ),
  BAD_ENVELOPE: final(
    117,
    'the envelope is not one for this place',
    'it must name its sender, recipient, stream, seq, and keys of both that are published',
  ),
  BAD_KEYS: final(
    118,
    'these keys cannot be published for this account',
    'the keys before must vouch for them; see docs/SECURITY.md',
  ),
  NOT_HERE: final(
    119,
    'the service does not have the private keys of this account',
    'they are in its key file, where it was registered',
  ),
  BAD_KEY: final(120, 'this key cannot be taken up', 'the reason is in the text; take another key'),
  REGISTRATION_CLOSED: final(
    121,
    'new accounts are not taken here',
    'ask who runs the cluster: registration in cluster.yaml',
  ),
  INVITATION_NEEDED: final(
    122,
    'new accounts are by invitation only',
    'ask somebody who has an account: troca invite',
  ),
  BAD_INVITATION: final(
    123,
    'this invitation is not open: unknown, used before, or expired',
    'check the code, or ask for another: troca invite',
  ),
  TOO_MANY_INVITATIONS: final(
    124,
    'the account has as many open invitations as it may',
    'wait until one is used or expires',
  ),
  BLOCKED: final(
    125,
    'the recipient takes no messages from this account',
    'it can be undone there',
  ),
  TOO_MANY_BLOCKED: final(
    126,
    'the block list is as long as it may be',
    'take somebody off it: troca block --remove NAME',
  ),
  STREAM_CLOSED: final(127, 'this stream is closed', 'send it in another stream'),
  OVERLOADED: later(201, 'the replica has too much to do', 'try again after a while'),
  NOT_READY: later(202, 'there is no coordinator just now', 'try again; troca status shows why'),
  NO_QUORUM: later(203, 'too few persistence replicas', 'start the missing ones; troca status'),
  UNKNOWN_OUTCOME: later(204, 'the outcome is unknown', 'send it again with the same seq', false),
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
    'wait as long as the error says; from another address it goes on',
  ),
  TOO_MANY_REGISTRATIONS: later(
    210,
    'too many registrations from this address',
    'wait as long as the error says',
  ),
  ADDRESS_BUSY: later(
    211,
    'this address has too much under way at once',
    'wait for what was asked before',
  ),
  BAD_FRAME: final(301, 'the frame was not understood', 'this is a fault of the sender'),
  BAD_STATE: final(302, 'this message does not belong here', 'this is a fault of the sender'),
  WRONG_CLUSTER: final(303, 'this is another cluster', 'check the cluster id of both sides'),
  WRONG_VERSION: final(304, 'no protocol version in common', 'upgrade the older side'),
  FORBIDDEN: final(
    305,
    'the certificate does not allow this',
    'check role and id of the certificate',
  ),
  SLOW_READER: later(306, 'you do not read fast enough', 'reconnect and read on', false),
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
  TOO_SLOW: later(309, 'what was begun took too long to come', 'send it at once', false),
  LOGIN_TIMEOUT: later(
    311,
    'nobody has logged in here, and nothing was asked for a while',
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
