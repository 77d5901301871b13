// A recipient that listens and acknowledges nothing, while messages to it pile up. Once it
// acknowledges again, it must get every message from its read mark on.

import type { Client } from '../../clients/index.js'
import type { Cluster } from '../system/cluster.js'

const WINDOW = 16

export class Sloth {
  readonly #cluster: Cluster
  #sent = 0
  #pushed = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async lie(messages: number): Promise<void> {
    const listening = await this.#cluster.register('sloth')
    const sender = await this.#cluster.register('sender')
    const leaving = new AbortController()
    const lying = this.#listen(listening, leaving.signal)
    const texts = Array.from({ length: messages }, (_, i) => `message ${i}`)
    await Promise.all(texts.map((text) => sender.send('sloth', text)))
    this.#sent = messages
    leaving.abort()
    await lying
    listening.abandon('it was asleep')
    sender.abandon('done')
  }

  async #listen(client: Client, signal: AbortSignal): Promise<void> {
    for await (const _ of client.messages({ window: WINDOW, signal })) this.#pushed++
  }

  /** Faults; empty: no more than the window was pushed, and no message is lost. */
  async faults(): Promise<string[]> {
    const faults: string[] = []
    if (this.#pushed > WINDOW) faults.push(`${this.#pushed} pushed; ${WINDOW} were asked for`)
    const client = await this.#cluster.logIn('sloth')
    const leaving = new AbortController()
    let next = 0
    for await (const message of client.messages({ signal: leaving.signal })) {
      if (message.text !== `message ${next}`) faults.push(`"${message.text}" in place of ${next}`)
      message.ack()
      if (++next >= this.#sent || faults.length > 3) leaving.abort()
    }
    client.abandon('awake')
    return faults
  }
}
