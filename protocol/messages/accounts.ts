// Client and processing replica, about accounts: who joins, who is there, keys, invitations, block lists,
// the end. Part of the same conversation as client.ts.

import { bytes, list, message, oneOf, optional, record, text, uint } from '../schema/schema.js'
import {
  INVITATION_BYTES,
  MAX_BLOCKED,
  MAX_KEYS,
  index,
  passwordCost,
  passwordSalt,
  request,
  signingKey,
  userName,
  wallTime,
  wrappedPrivateKey,
} from '../schema/shared.js'

const password = text(1024, 'correct horse battery staple')
const token = bytes(16)

/** A pair of a client-held account: SubjectPublicKeyInfo of what is sealed for, and its signer. */
const heldKey = record({ publicKey: bytes(1, 2048), signing: signingKey })

export const REGISTER = message(
  0x10,
  'REGISTER',
  'Makes an account; logs in. Repeating it with the same token is harmless.',
  {
    request,
    name: userName,
    password,
    token,
    /** Made by the client, which alone holds the private ones; nil: the service makes a key. */
    keys: optional(heldKey),
    /** The code that an INVITE made open; needed where registration is by invitation. */
    invitation: optional(bytes(INVITATION_BYTES)),
  },
)

export const LOGIN = message(0x11, 'LOGIN', 'Opens an account with its password.', {
  request,
  name: userName,
  password,
})

/** RFC 7638 thumbprint of a public key, base64url. */
const fingerprint = text(64, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
const bits = uint(16_384, 'bits', 3072)

export const SESSION = message(
  0x12,
  'SESSION',
  'Answers REGISTER, LOGIN, CHANGE_PASSWORD, ROTATE_KEY and ADD_KEY.',
  {
    request,
    name: userName,
    /** Of the key that is sealed for. */
    fingerprint,
    bits,
    /** Who holds the private key. */
    held: oneOf('service', 'client'),
    /** How far the owner has acknowledged its mailbox. */
    cursor: index,
  },
)

export const LOGOUT = message(0x20, 'LOGOUT', 'Forgets the unwrapped key; answered by GOODBYE.', {
  request,
})

export const CHANGE_PASSWORD = message(
  0x21,
  'CHANGE_PASSWORD',
  'Puts the account under another password. Repeating it with the same token is harmless.',
  {
    request,
    password,
    newPassword: password,
    token,
  },
)

export const ROTATE_KEY = message(
  0x22,
  'ROTATE_KEY',
  'Makes a new key; the old ones only read. Repeating it with the same token is harmless.',
  {
    request,
    password,
    token,
    /** Made by the client, for a client-held account; nil for others. */
    keys: optional(heldKey),
  },
)

export const KEYS = message(0x23, 'KEYS', "Asks for the public side of an account's keys.", {
  request,
  name: userName,
})

export const KEYS_ARE = message(
  0x24,
  'KEYS_ARE',
  'Answers KEYS: newest first; only the first is sealed for.',
  {
    request,
    name: userName,
    keys: list(
      record({
        fingerprint,
        bits,
        /** SubjectPublicKeyInfo, DER. */
        publicKey: bytes(1, 2048),
        /** nil: the service holds the private key. */
        signing: optional(signingKey),
      }),
      MAX_KEYS,
    ),
  },
)

export const EXPORT_KEYS = message(
  0x30,
  'EXPORT_KEYS',
  "Asks for the account's private keys as they are stored; the password opens them.",
  {
    request,
    password,
  },
)

export const WRAPPED_KEYS = message(
  0x31,
  'WRAPPED_KEYS',
  'Answers EXPORT_KEYS: newest first. Half of scrypt of the password unwraps each.',
  {
    request,
    salt: passwordSalt,
    cost: passwordCost,
    keys: list(record({ publicKey: bytes(1, 2048), wrappedKey: wrappedPrivateKey }), MAX_KEYS),
  },
)

export const ADD_KEY = message(
  0x32,
  'ADD_KEY',
  'Takes up a private key made elsewhere; the ones before only read. Repeating it is harmless.',
  {
    request,
    password,
    token,
    /** Under the password, with the salt and cost that WRAPPED_KEYS gives. */
    wrappedKey: wrappedPrivateKey,
  },
)

export const INVITE = message(
  0x33,
  'INVITE',
  'Opens an invitation: whoever has its code may register, once. Repeating it is harmless.',
  {
    request,
    /** Random, of the client's making: the log keeps only its SHA-256. */
    code: bytes(INVITATION_BYTES),
  },
)

export const INVITED = message(0x34, 'INVITED', 'Answers INVITE.', {
  request,
  expires: wallTime,
})

export const BLOCK = message(
  0x35,
  'BLOCK',
  'From now on takes no messages from this user; repeating it is harmless.',
  { request, name: userName },
)

export const UNBLOCK = message(0x36, 'UNBLOCK', 'Takes messages from this user again.', {
  request,
  name: userName,
})

export const BLOCKED = message(0x37, 'BLOCKED', 'Asks for the own block list.', { request })

export const BLOCKED_ARE = message(
  0x38,
  'BLOCKED_ARE',
  'Answers BLOCK, UNBLOCK and BLOCKED: the block list as it is now.',
  { request, names: list(userName, MAX_BLOCKED) },
)

export const DELETE_ACCOUNT = message(
  0x39,
  'DELETE_ACCOUNT',
  'Ends the own account and erases its mailbox, for ever. Repeated with the same token, by whomever, it is answered as done.',
  { request, name: userName, password, token },
)

export const ACCOUNT_DELETED = message(
  0x3a,
  'ACCOUNT_DELETED',
  'Answers DELETE_ACCOUNT: the account is nobody any more; its name stays taken.',
  { request, name: userName },
)
