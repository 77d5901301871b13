// A check's state of each replica during one boot. A restart begins anew.

import type { Host } from '../host.js'

export class PerBoot<T> {
  readonly #begin: (host: Host) => T
  readonly #known = new Map<Host, T>()

  constructor(begin: (host: Host) => T) {
    this.#begin = begin
  }

  of(host: Host): T {
    const known = this.#known.get(host) ?? this.#begin(host)
    this.#known.set(host, known)
    return known
  }

  forget(host: Host): void {
    this.#known.delete(host)
  }
}
