// The ACCOUNT entry, which a registration and each change of an account write.

import { idOf } from '../../bytes.js'
import { KIND, type Draft } from '../../entries/entry.js'
import type { AccountKey, AccountSecrets } from '../../envelope/secrets.js'
import { decodeAccount, encodeAccount, type Account } from '../account.js'
import { plainDraft } from '../decision.js'
import { defineEntry } from './define.js'

/** Bytes of an account's keys in its entry, which holds them as base64. */
export function weighKeys(secrets: AccountSecrets): number {
  return 2 * [secrets, ...secrets.older].reduce((bytes, key) => bytes + weighKey(key), 0)
}

function weighKey({ publicKey, wrappedKey, signing }: AccountKey): number {
  const own = publicKey.length + wrappedKey.length
  if (!signing) return own
  const { ownSignature, previousSignature } = signing
  return own + signing.publicKey.length + ownSignature.length + previousSignature.length
}

export function decideAccount(name: string, account: Omit<Account, 'name'>): Draft {
  return plainDraft(KIND.account, name, encodeAccount(account))
}

export const ACCOUNT_ENTRY = defineEntry({
  kind: KIND.account,
  check: ({ mailbox }, body) => void decodeAccount(mailbox, body),
  apply(ledger, { mailbox }, { body, time }) {
    const account = decodeAccount(mailbox, body)
    ledger.putAccount(account)
    const invited = account.invitation && ledger.invitation(idOf(account.invitation))
    if (invited) ledger.putInvitation({ ...invited, used: true }, time)
  },
})
