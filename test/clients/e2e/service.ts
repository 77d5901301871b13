// A service for tests of client-held accounts. The service publishes, stores and delivers as the
// real one, over real frames, and lies if a test tells it to.

import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { HeldKey } from '../../../protocol/envelope/held-keys.js'
import { decodeSpki } from '../../../protocol/rsa/formats.js'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import { FakeServer, type FakePeer } from '../fake-server.js'

export type WireMessage = The<'PAGE'>['messages'][number]
type PublishedKey = The<'KEYS_ARE'>['keys'][number]

interface FakeAccount {
  password: string
  /** The published keys, the newest first. */
  keys: PublishedKey[]
}

const TIME = 1_790_000_000_000

export function published({ publicKey, signing }: HeldKey): PublishedKey {
  const key = decodeSpki(publicKey)
  return { fingerprint: thumbprint(key), bits: key.bits, publicKey, signing }
}

export class Service extends FakeServer {
  readonly accounts = new Map<string, FakeAccount>()
  readonly stored: WireMessage[] = []
  /** Lies: the answer to KEYS for a name, instead of the published keys. */
  readonly lies = new Map<string, PublishedKey[]>()
  readonly #users = new Map<FakePeer, string>()

  constructor() {
    super()
    for (const type of ['REGISTER', 'LOGIN', 'KEYS'] as const) this.scripted.add(type)
    this.script = (message, peer) => this.#answer(message, peer)
  }

  /** An account whose keys the service holds. */
  addPlain(name: string, fingerprint: string): void {
    const key = { fingerprint, bits: 2048, publicKey: Buffer.from(fingerprint), signing: null }
    this.accounts.set(name, { password: 'pw', keys: [key] })
  }

  #session(peer: FakePeer, request: number, name: string): void {
    const { fingerprint, bits, signing } = this.accounts.get(name)!.keys[0]!
    this.#users.set(peer, name)
    const held = signing ? 'client' : 'service'
    peer.say({ type: 'SESSION', request, name, fingerprint, bits, held, cursor: 0 })
  }

  #answer(message: Message, peer: FakePeer): void {
    const user = this.#users.get(peer) ?? ''
    switch (message.type) {
      case 'REGISTER': {
        const { name, password, keys, request } = message
        if (this.accounts.has(name)) return peer.refuse(request, 'NAME_TAKEN')
        this.accounts.set(name, { password, keys: [published(keys!)] })
        return this.#session(peer, request, name)
      }
      case 'LOGIN': {
        const right = this.accounts.get(message.name)?.password === message.password
        if (!right) return peer.refuse(message.request, 'BAD_CREDENTIALS')
        return this.#session(peer, message.request, message.name)
      }
      case 'CHANGE_PASSWORD': {
        const account = this.accounts.get(user)!
        if (account.password !== message.password) {
          return peer.refuse(message.request, 'BAD_CREDENTIALS')
        }
        account.password = message.newPassword
        return this.#session(peer, message.request, user)
      }
      case 'ROTATE_KEY': {
        this.accounts.get(user)!.keys.unshift(published(message.keys!))
        return this.#session(peer, message.request, user)
      }
      case 'KEYS': {
        const { request, name } = message
        const keys = this.lies.get(name) ?? this.accounts.get(name)?.keys
        if (!keys) return peer.refuse(request, 'NO_SUCH_USER')
        return peer.say({ type: 'KEYS_ARE', request, keys })
      }
      case 'SEND_SEALED':
      case 'SEND': {
        const { request, stream, seq, to } = message
        const index = this.stored.length + 1
        const text = message.type === 'SEND' ? message.text : null
        const envelope = message.type === 'SEND' ? null : message.sealed
        this.stored.push({ index, from: user, to, time: TIME, stream, seq, text, envelope })
        return peer.say({ type: 'RECEIPT', request, seq, index, time: TIME })
      }
      case 'INBOX': {
        const { request, after } = message
        const messages = this.stored.filter(({ to, index }) => to === user && index > after)
        const next = this.stored.length
        return peer.say({ type: 'PAGE', request, messages, next, more: false, cursor: 0 })
      }
      case 'LISTEN': {
        const after = message.after ?? 0
        peer.say({ type: 'LISTENING', request: message.request, after })
        const messages = this.stored.filter(({ to, index }) => to === user && index > after)
        if (messages.length > 0) peer.say({ type: 'PUSH', messages })
        return
      }
      default:
    }
  }
}
