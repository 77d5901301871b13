// Linearizable reads of the waist: what READ and TIP see holds all that was committed when they
// were asked, and a page is exactly the ledger's stretch of that mailbox.

import { KIND } from '../../../protocol/log/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

interface Asked {
  readonly committed: number
  readonly message: The<'READ'> | The<'TIP'>
}

export class ReadCheck implements Check {
  readonly #history: History
  readonly #asked = new Map<string, Asked>()

  constructor(history: History) {
    this.#history = history
  }

  sent(from: Host, to: Host, message: Message): void {
    if (message.type === 'READ' || message.type === 'TIP') {
      const key = `${from.name}/${from.boot}/${to.name}/${message.request}`
      this.#asked.set(key, { committed: this.#history.committed.index, message })
    }
    if (message.type === 'READ_PAGE' || message.type === 'TIP_IS') {
      const key = `${to.name}/${to.boot}/${from.name}/${message.request}`
      const asked = this.#asked.get(key)
      if (!asked) return
      const seen = message.type === 'TIP_IS' ? message.index : message.through
      expect(seen >= asked.committed, 'read', () => {
        return `${from.name} sees ${seen} in a read begun when ${asked.committed} was committed`
      })
      if (message.type === 'READ_PAGE') this.#page(from, asked.message as The<'READ'>, message)
      this.#asked.delete(key)
    }
  }

  #page(from: Host, asked: The<'READ'>, page: The<'READ_PAGE'>): void {
    const { ledger } = this.#history
    const end = page.more ? (page.entries.at(-1)?.index ?? asked.after) : page.through
    const wanted: number[] = []
    for (let i = asked.after + 1; i <= end; i++) {
      const meta = ledger[i]!.meta!
      if (meta.kind === KIND.message && meta.mailbox === asked.mailbox) wanted.push(i)
    }
    const got = page.entries.map((entry) => entry.index)
    expect(got.join() === wanted.join(), 'read', () => {
      return `${from.name}'s page of ${asked.mailbox} has [${got}], the ledger [${wanted}]`
    })
  }
}
