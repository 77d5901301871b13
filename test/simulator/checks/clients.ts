// The promises to clients. C4: no effect of an uncommitted entry is shown. C5: a repeated request
// gets the original's answer. C8: everything before the place that an answer names is committed.
// Reads see everything that was committed when they were asked.

import { ERRORS, errorName, type ErrorName } from '../../../protocol/errors.js'
import { decodeDrop, type NamedDrop } from '../../../protocol/entries/drop.js'
import { KIND } from '../../../protocol/entries/entry.js'
import { sameBytes } from '../../../protocol/bytes.js'
import { MAX_KEYS } from '../../../protocol/schema/shared.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import type { Coverage } from '../coverage.js'
import type { Host } from '../host.js'
import { Violation, expect } from '../violation.js'
import type { Check } from './check.js'
import { digestOf, hex, type ClientLedger } from './ledger.js'
import { isChange, passwordOf, type Requests } from './requests.js'

export class ClientCheck implements Check {
  readonly #ledger: ClientLedger
  readonly #requests: Requests
  readonly #coverage: Coverage

  /** The highest index that each processing replica has applied in its present boot. */
  readonly #furthest = new Map<Host, number>()
  /** Replicas that have begun a session in this step and have not begun to rebuild their state. */
  readonly #begins = new Set<Host>()

  constructor(ledger: ClientLedger, requests: Requests, coverage: Coverage) {
    this.#ledger = ledger
    this.#requests = requests
    this.#coverage = coverage
  }

  started(host: Host): void {
    this.#furthest.delete(host)
    this.#begins.delete(host)
  }

  stepped(host: Host): void {
    if (host.role !== 'processing') return
    const { appliedIndex } = host.machine as ProcessingReplica
    const most = Math.max(appliedIndex, this.#furthest.get(host) ?? 0)
    this.#furthest.set(host, most)
    // A replica that rebuilds its state from the log knows older accounts and marks.
    expect(!this.#begins.delete(host) || appliedIndex >= most, 'mark', () => {
      return `${host.name} begins a session at ${appliedIndex}, and had applied ${most} before`
    })
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'FEED' && message.step === 'begin' && message.after === 0)
      this.#begins.delete(from)
    if (to.role !== 'client') return
    switch (message.type) {
      case 'RECEIPT':
        return this.#receipt(to, message)
      case 'ERROR':
        return this.#error(to, message)
      case 'SESSION':
        return this.#session(from, to, message)
      case 'PAGE':
        return this.#page(to, message)
      case 'DELETED':
        return this.#deleted(to, message)
    }
  }

  #receipt(to: Host, message: The<'RECEIPT'>): void {
    const { asked, user } = this.#requests.of(to, message.request, 'SEND')
    const place = `${hex(asked.stream)}/${asked.seq}`
    expect(message.index <= this.#ledger.end, 'C8', () => {
      return `${to.name} gets a receipt for ${message.index}; committed is ${this.#ledger.end}`
    })
    const node = this.#ledger.place(asked.stream, asked.seq)
    if (!node) throw new Violation('C4', `${to.name} gets a receipt for ${place}, not committed`)
    const { entry, meta } = node
    expect(node.index === message.index && asked.seq === message.seq, 'C5', () => {
      return `${to.name} is told ${message.index} for ${place}; it is at ${node.index}`
    })
    expect(entry!.time === message.time, 'C5', () => {
      return `${to.name} is told time ${message.time} for ${place}; it is ${entry!.time}`
    })
    expect(meta!.kind === KIND.message, 'C5', () => {
      return `${to.name} gets a receipt for ${place}, which was refused`
    })
    expect(sameBytes(meta!.digest, digestOf(user, asked)), 'C5', () => {
      return `${to.name} gets a receipt for another text than ${place} holds`
    })
  }

  #error(to: Host, message: The<'ERROR'>): void {
    const name = errorName(message.code)!
    this.#coverage.reach(`answered ${name}`)
    if (message.request === 0) return
    const { asked } = this.#requests.any(to, message.request)
    const bySeq = asked.type === 'SEND' && name === 'STREAM_CLOSED'
    const catalogued = bySeq || message.definite === ERRORS[name].definite
    expect(catalogued, 'C5', () => `${name} is not as catalogued`)
    if (asked.type === 'SEND') this.#sendRefused(to, message, name)
    if (asked.type === 'REGISTER' || asked.type === 'LOGIN') this.#logInRefused(to, message, name)
    if (isChange(asked)) {
      this.#changeRefused(to, message, name)
    }
  }

  #sendRefused(to: Host, message: The<'ERROR'>, name: ErrorName): void {
    const { asked, user, end, next } = this.#requests.of(to, message.request, 'SEND')
    const { stream, seq } = asked
    const node = this.#ledger.place(stream, seq)
    const place = `${hex(stream)}/${seq}`
    const told = `${to.name} is told ${name} for ${place}`
    const same = node && sameBytes(node.meta!.digest, digestOf(user, asked))
    switch (name) {
      case 'NO_SUCH_USER':
      case 'BLOCKED':
      case 'CLIENT_HELD':
      case 'NOT_CLIENT_HELD':
      case 'BAD_ENVELOPE':
      case 'DIVERGED':
        expect(node?.meta!.answer === ERRORS[name].code, 'C4', () => {
          return `${told}; the log says ${node?.meta!.answer}`
        })
        return expect(same === true, 'C5', () => `${told}, which holds another text`)
      case 'CONFLICT':
        expect(node !== undefined, 'C8', () => `${told}, where nothing is committed`)
        return expect(same === false, 'C5', () => `${told}, which holds the same text`)
      case 'OUT_OF_ORDER': {
        // The command was executed at some moment between the request and now.
        const known = this.#ledger.streams.get(hex(stream))
        const { expected } = message
        const right = expected !== null && expected >= next && expected < seq
        expect(right, 'C5', () => `${told}, expected ${expected}; it was ${next} when asked`)
        return expect(expected! <= (known?.next ?? 0), 'C8', () => {
          return `${told}, expected ${expected}; committed is up to ${known?.next}`
        })
      }
      case 'OLD_DUPLICATE':
        return expect(this.#ledger.isOld(stream, seq), 'C5', () => `${told}, which is kept`)
      case 'NO_SUCH_STREAM': {
        const known = this.#ledger.streams.get(hex(stream))
        const was = known?.owner === user && known.index <= end
        return expect(!was, 'C5', () => `${told}, which was opened before it asked`)
      }
    }
  }

  // ---- accounts -------------------------------------------------------------------------------

  #session(from: Host, to: Host, message: The<'SESSION'>): void {
    const { asked, cursor, end } = this.#requests.any(to, message.request)
    if (isChange(asked)) {
      return this.#changed(to, message)
    }
    if (asked.type !== 'REGISTER' && asked.type !== 'LOGIN') return
    const account = this.#ledger.versionsSince(asked.name, end).at(-1)?.account
    expect(account !== undefined && message.name === asked.name, 'C8', () => {
      return `${to.name} gets a session of ${message.name}, which is not committed`
    })
    if (asked.type === 'REGISTER') {
      expect(sameBytes(account!.token, asked.token), 'C5', () => {
        return `${to.name} gets ${asked.name}, which another registration made`
      })
    }
    const fits = this.#passwordsSince(asked.name, end).includes(asked.password)
    expect(fits, 'C5', () => {
      return `${to.name} gets a session of ${asked.name} with a wrong password`
    })
    expect(message.cursor >= cursor, 'mark', () => {
      return `${asked.name}'s mark was ${cursor} when it logged in; it is told ${message.cursor}`
    })
    this.#begins.add(from)
    this.#coverage.reach(`session by ${asked.type}`)
  }

  #logInRefused(to: Host, message: The<'ERROR'>, name: ErrorName): void {
    const { asked, registered, end } = this.#requests.any(to, message.request)
    if (asked.type !== 'REGISTER' && asked.type !== 'LOGIN') return
    const account = this.#ledger.accounts.get(asked.name)
    const closed = this.#ledger.closed.has(asked.name)
    if (name === 'NAME_TAKEN' && asked.type === 'REGISTER') {
      expect(
        account !== undefined || closed,
        'C8',
        () => `${asked.name} is called taken; it is not committed`,
      )
      expect(closed || !sameBytes(account!.token, asked.token), 'C5', () => {
        return `${to.name} is told NAME_TAKEN by its own registration of ${asked.name}`
      })
    }
    if (name === 'SESSION_ENDED' && !closed) {
      // Another version of the account may begin to count while the password is checked.
      expect(this.#ledger.versionsSince(asked.name, end).length > 1, 'C5', () => {
        return `${to.name} is told that ${asked.name} has changed while it logged in; it has not`
      })
    }
    if (name !== 'BAD_CREDENTIALS' || !registered || closed) return
    const others = this.#passwordsSince(asked.name, end).some((one) => one !== asked.password)
    expect(others, 'C5', () => {
      return `${to.name} is told BAD_CREDENTIALS for ${asked.name} with the right password`
    })
  }

  /** The passwords that were right at some moment since `end` was committed. */
  #passwordsSince(name: string, end: number): string[] {
    return this.#ledger.versionsSince(name, end).map(({ account }) => passwordOf(account))
  }

  #changed(to: Host, message: The<'SESSION'>): void {
    const { asked, user } = this.#requests.any(to, message.request)
    if (!isChange(asked)) return
    const change = this.#ledger.changedBy(user, asked.token)
    if (!change) throw new Violation('C8', `${to.name} is told of a change that is not committed`)
    if (asked.type === 'CHANGE_PASSWORD') {
      expect(passwordOf(change.account) === asked.newPassword, 'C5', () => {
        return `${to.name} has changed its password to another than it asked for`
      })
    }
    this.#coverage.reach(`session by ${asked.type}`)
  }

  #changeRefused(to: Host, message: The<'ERROR'>, name: ErrorName): void {
    const { asked, user, end } = this.#requests.any(to, message.request)
    if (!isChange(asked)) return
    const versions = this.#ledger.versionsSince(user, end)
    if (name === 'ACCOUNT_CHANGED') {
      const another = versions.slice(1).some(({ account }) => {
        return !sameBytes(account.changeToken, asked.token)
      })
      expect(another, 'C5', () => `${to.name} is told ACCOUNT_CHANGED; nobody else changed ${user}`)
    }
    if (name === 'BAD_CREDENTIALS') {
      const others = versions.some(({ account }) => passwordOf(account) !== asked.password)
      expect(others, 'C5', () => `${to.name} is refused a change with the right password`)
    }
    if (name === 'TOO_MANY_KEYS') {
      const keys = versions.at(-1)!.account.secrets.older.length + 1
      expect(keys === MAX_KEYS, 'C5', () => `${to.name} is told TOO_MANY_KEYS; ${user} has ${keys}`)
    }
  }

  #deleted(to: Host, message: The<'DELETED'>): void {
    const { asked, user } = this.#requests.of(to, message.request, 'DELETE')
    const node = this.#ledger.at(message.index)
    const drop = node?.meta!.kind === KIND.drop ? (decodeDrop(node.entry!) as NamedDrop) : null
    expect(drop !== null && drop.mailbox === user, 'C4', () => {
      return `${to.name} is told that ${asked.indices} are deleted by ${message.index}`
    })
    const named = asked.indices.filter((index) => index < message.index)
    expect(named.join() === drop!.indices.join(), 'C5', () => {
      return `${to.name} asked to delete ${asked.indices}; ${message.index} drops ${drop!.indices}`
    })
  }

  // ---- reads ----------------------------------------------------------------------------------

  #page(to: Host, message: The<'PAGE'>): void {
    const { asked, user, end } = this.#requests.of(to, message.request, 'INBOX')
    const got = message.messages.map(({ index }) => index)
    const { next, more } = message
    // The page is complete up to `next`, and without `more` up to all that was committed when
    // asked.
    const through = more ? next : Math.max(next, end)
    const all = this.#ledger.mailbox(user)
    // Messages deleted before the request are gone; messages deleted since then may be gone.
    const wanted = all.filter((index) => {
      const dropped = this.#ledger.droppedAt(index)
      const there = dropped === Infinity || (dropped > end && got.includes(index))
      return index > asked.after && index <= through && there
    })
    const whole = got.join() === wanted.join() && got.length <= asked.limit && next >= asked.after
    expect(whole, 'read', () => {
      return `${to.name}'s page after ${asked.after} has [${got}], the ledger [${wanted}]`
    })
    expect(next <= Math.max(this.#ledger.end, asked.after), 'C4', () => {
      return `${to.name} is to read on after ${next}; committed is ${this.#ledger.end}`
    })
  }
}
