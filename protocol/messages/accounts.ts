// Accounts, between client and processing replica: log-ins, keys, invitations, block lists,
// deletion. Part of the same conversation as client.ts.

import { MAX_PASSWORD_BYTES } from '../password.js'
import { message } from '../schema/message.js'
import { record } from '../schema/record.js'
import { bytes, list, oneOf, optional, text, uint } from '../schema/schema.js'
import {
  INVITATION_BYTES,
  MAX_BLOCKED,
  MAX_KEYS,
  index,
  passwordCost,
  passwordSalt,
  publicKey,
  request,
  signingKey,
  userName,
  wallTime,
  wrappedPrivateKey,
} from '../schema/shared.js'

const accountName = userName.means('Name of the account.')
const secret = text(MAX_PASSWORD_BYTES, 'correct horse battery staple')
const password = secret.means('Password of the account.')
const newPassword = secret.means(
  'Password from now on: as long as the cluster asks for, and without control characters.',
)
const token = bytes(16).means(
  'Random, chosen by the client; a repeated request has the same token.',
)
const invitationCode = bytes(INVITATION_BYTES)

const heldKey = record({
  name: 'held key',
  meaning: 'A pair of public keys whose private keys the client alone holds.',
  fields: {
    publicKey: publicKey.means('Key that messages are sealed for: SubjectPublicKeyInfo, DER.'),
    signing: signingKey.means('Key that signs, and what vouches for the pair.'),
  },
})

const REPEATED_TOKEN = 'with the same `token`: harmless'

export const REGISTER = message({
  tag: 0x10,
  name: 'REGISTER',
  by: 'client',
  answers: ['SESSION'],
  login: 'none',
  ordered: true,
  repeated: 'with the same `token`: logs in',
  meaning: 'Makes an account and logs in.',
  fields: {
    request,
    name: userName.means(
      'Name of the new account: 1 to 32 of a-z 0-9 . _ - opening with a letter.',
    ),
    password: newPassword,
    token,
    keys: optional(heldKey).means(
      'Keys made by the client, which alone can read then; nil: the service makes a key.',
    ),
    invitation: optional(invitationCode).means(
      'Code of an open invitation, needed where registration is by invitation; else nil.',
    ),
  },
})

export const LOGIN = message({
  tag: 0x11,
  name: 'LOGIN',
  by: 'client',
  answers: ['SESSION'],
  login: 'none',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Logs in to an account with its password.',
  fields: { request, name: accountName, password },
})

const fingerprint = text(64, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs').means(
  'RFC 7638 thumbprint of the public key, base64url.',
)
const bits = uint({ max: 16_384, unit: 'bits', example: 3072 }).means('Length of the key.')

export const SESSION = message({
  tag: 0x12,
  name: 'SESSION',
  by: 'processing',
  meaning: 'This connection is logged in; the account as it is now.',
  fields: {
    request,
    name: accountName,
    fingerprint: fingerprint.means(
      'RFC 7638 thumbprint, base64url, of the key that messages are sealed for.',
    ),
    bits: bits.means('Length of that key.'),
    held: oneOf('service', 'client').means('Which side holds the private key.'),
    cursor: index.means('Log index up to which the user has acknowledged its mailbox.'),
  },
})

export const LOGOUT = message({
  tag: 0x20,
  name: 'LOGOUT',
  by: 'client',
  login: 'none',
  ordered: false,
  repeated: 'never: GOODBYE follows, and the connection is closed',
  meaning: 'Ends the session; the replica forgets its keys, says GOODBYE and closes.',
  fields: { request: request.means('Id of the request; nothing repeats it.') },
})

export const CHANGE_PASSWORD = message({
  tag: 0x21,
  name: 'CHANGE_PASSWORD',
  by: 'client',
  answers: ['SESSION'],
  login: 'required',
  ordered: true,
  repeated: REPEATED_TOKEN,
  meaning: 'Changes the password of the account; its other sessions end.',
  fields: {
    request,
    password: password.means('Password of the account so far.'),
    newPassword,
    token,
  },
})

export const ROTATE_KEY = message({
  tag: 0x22,
  name: 'ROTATE_KEY',
  by: 'client',
  answers: ['SESSION'],
  login: 'required',
  ordered: true,
  repeated: REPEATED_TOKEN,
  meaning: 'Gives the account a new key; older keys only decrypt. Its other sessions end.',
  fields: {
    request,
    password,
    token,
    keys: optional(heldKey).means('Keys made by the client, for a client-held account; else nil.'),
  },
})

export const KEYS = message({
  tag: 0x23,
  name: 'KEYS',
  by: 'client',
  answers: ['KEYS_ARE'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: "Asks for the public side of an account's keys.",
  fields: { request, name: userName.means('Name of the account, own or another.') },
})

const publishedKey = record({
  name: 'published key',
  meaning: 'The public side of one key of an account.',
  fields: {
    fingerprint,
    bits,
    publicKey,
    signing: optional(signingKey).means(
      'Key that signs, of a client-held account; nil: the service holds the private key.',
    ),
  },
})

export const KEYS_ARE = message({
  tag: 0x24,
  name: 'KEYS_ARE',
  by: 'processing',
  meaning: 'The public keys of the account.',
  fields: {
    request,
    keys: list(publishedKey, MAX_KEYS).means(
      'The keys, newest first; messages are sealed for the first alone.',
    ),
  },
})

export const EXPORT_KEYS = message({
  tag: 0x30,
  name: 'EXPORT_KEYS',
  by: 'client',
  answers: ['WRAPPED_KEYS'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: "Asks for the account's private keys as they are stored, wrapped under the password.",
  fields: { request, password },
})

const wrappedKey = record({
  name: 'wrapped key',
  meaning: 'A key whose private side is wrapped under the password.',
  fields: { publicKey, wrappedKey: wrappedPrivateKey },
})

export const WRAPPED_KEYS = message({
  tag: 0x31,
  name: 'WRAPPED_KEYS',
  by: 'processing',
  meaning: "The account's private keys; half of scrypt of the password unwraps each.",
  fields: {
    request,
    salt: passwordSalt,
    cost: passwordCost,
    keys: list(wrappedKey, MAX_KEYS).means('The keys, newest first.'),
  },
})

export const ADD_KEY = message({
  tag: 0x32,
  name: 'ADD_KEY',
  by: 'client',
  answers: ['SESSION'],
  login: 'required',
  ordered: true,
  repeated: REPEATED_TOKEN,
  meaning: 'Adds a private key made elsewhere; older keys only decrypt.',
  fields: {
    request,
    password,
    token,
    wrappedKey: wrappedPrivateKey.means(
      'The key, wrapped under the password with the salt and cost that WRAPPED_KEYS gives.',
    ),
  },
})

export const INVITE = message({
  tag: 0x33,
  name: 'INVITE',
  by: 'client',
  answers: ['INVITED'],
  login: 'required',
  ordered: true,
  repeated: 'with the same `code`: the same invitation',
  meaning: 'Opens an invitation, by whose code one account may be registered.',
  fields: {
    request,
    code: invitationCode.means('Random, chosen by the client; the log keeps only its SHA-256.'),
  },
})

export const INVITED = message({
  tag: 0x34,
  name: 'INVITED',
  by: 'processing',
  meaning: 'The invitation is open.',
  fields: { request, expires: wallTime.means('When the invitation expires.') },
})

export const BLOCK = message({
  tag: 0x35,
  name: 'BLOCK',
  by: 'client',
  answers: ['BLOCKED_ARE'],
  login: 'required',
  ordered: true,
  repeated: 'harmless',
  meaning: 'Refuses messages from a user from now on.',
  fields: { request, name: userName.means('Name of the user to block.') },
})

export const UNBLOCK = message({
  tag: 0x36,
  name: 'UNBLOCK',
  by: 'client',
  answers: ['BLOCKED_ARE'],
  login: 'required',
  ordered: true,
  repeated: 'harmless',
  meaning: 'Accepts messages from a blocked user again.',
  fields: { request, name: userName.means('Name of the user to unblock.') },
})

export const BLOCKED = message({
  tag: 0x37,
  name: 'BLOCKED',
  by: 'client',
  answers: ['BLOCKED_ARE'],
  login: 'required',
  ordered: false,
  repeated: 'harmless',
  meaning: 'Asks for the own block list.',
  fields: { request },
})

export const BLOCKED_ARE = message({
  tag: 0x38,
  name: 'BLOCKED_ARE',
  by: 'processing',
  meaning: 'The own block list as it is now.',
  fields: { request, names: list(userName, MAX_BLOCKED).means('Names of the blocked users.') },
})

export const DELETE_ACCOUNT = message({
  tag: 0x39,
  name: 'DELETE_ACCOUNT',
  by: 'client',
  answers: ['ACCOUNT_DELETED'],
  login: 'unless-repeated',
  ordered: true,
  repeated: 'with the same `token`: harmless, also without a log-in',
  meaning: 'Ends the own account and erases its mailbox, for ever.',
  fields: { request, name: userName.means('Name of the own account.'), password, token },
})

export const ACCOUNT_DELETED = message({
  tag: 0x3a,
  name: 'ACCOUNT_DELETED',
  by: 'processing',
  meaning: 'The account has ended; its name stays taken.',
  fields: { request },
})
