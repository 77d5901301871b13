// A replica's memory agrees with its file: the entries that it takes to be durable are in the file
// (P5), and its newest committed term and order are those of the file's committed entries (C1). A
// breach shows before anything wrong has left the replica.

import { sameBytes } from '../../../protocol/bytes.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import { turnView, type Check } from './check.js'

export class FileMirrorCheck implements Check {
  stepped(host: Host): void {
    const view = turnView(host)
    const file = host.disk?.file
    if (!view || !file) return
    const { durable, commit, committedFence } = view.log
    const place = view.log.placeAt(durable)
    const there = file.log[durable]?.chain
    const held = !place || durable === 0 || (there && sameBytes(there, place.chain))
    expect(!!held, 'P5', () => {
      return `${host.name} takes entry ${durable} to be in its file, which holds another or none`
    })
    const at = view.log.placeAt(commit)
    const committed = file.log[commit]
    if (!at || !committed?.chain || !sameBytes(committed.chain, at.chain)) return
    const [taken, is] = [committedFence, committed.fence]
    const same = taken.term === is.term && taken.k === is.k
    expect(same, 'C1', () => {
      const [says, holds] = [taken, is].map(({ term, k }) => `${term}/${k}`)
      return `${host.name} takes ${says} for the last order through ${commit}; it is ${holds}`
    })
  }
}
