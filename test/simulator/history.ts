// Every entry that was ever written or sent, as a tree: an entry's parent is what its chain was
// made on. The path to the last committed one is the ledger. What a single path must obey
// (P6, C1, C2, C3, C7) is checked once, where an entry joins the tree.

import {
  CHAIN_ZERO,
  KIND,
  chainOf,
  decodeMeta,
  type Entry,
  type Meta,
} from '../../protocol/entries/entry.js'
import { sameBytes } from '../../protocol/bytes.js'
import { compareEpochs, formatEpoch, type Epoch } from '../../protocol/entries/epoch.js'
import { NO_FENCE, decodeTerm, type Fence, type Owner } from '../../protocol/entries/fence.js'
import { Violation, expect } from './violation.js'

export interface Node {
  readonly index: number
  /** null: this node is the place before entry 1. */
  readonly entry: Entry | null
  readonly meta: Meta | null
  readonly parent: Node | null
  /** Newest term on the path to this node, and the last order of that term. */
  readonly fence: Fence
  readonly lamport: number
  /**
   * Bit n: the entry was durable, at some time, in slot n's file while that replica was a voter.
   */
  holders: number
}

interface Draft {
  readonly owner: Pick<Owner, 'slot' | 'boot'>
  readonly meta: Uint8Array
  readonly body: Uint8Array
}

const keyOf = (chain: Uint8Array): string =>
  Buffer.from(chain.buffer, chain.byteOffset, chain.length).toString('latin1')

function bits(mask: number): number {
  let count = 0
  for (let rest = mask; rest > 0; rest &= rest - 1) count++
  return count
}

export class History {
  readonly root: Node = {
    index: 0,
    entry: null,
    meta: null,
    parent: null,
    fence: NO_FENCE,
    lamport: 0,
    holders: 0,
  }
  /** The entries that have been reported committed, by index. */
  readonly ledger: Node[] = [this.root]
  readonly #majority: number
  readonly #byChain = new Map<string, Node>([[keyOf(CHAIN_ZERO), this.root]])
  readonly #byIndex = new Map<number, Node[]>()
  readonly #byPlace = new Map<string, Node>()
  readonly #committedIn = new Map<Node, Epoch>()
  readonly #installs: { epoch: Epoch; node: Node }[] = []
  readonly #drafts = new Map<string, Draft>()
  readonly #nextSeq = new Map<string, number>()
  /** Called with every entry as it joins the ledger. */
  readonly #onCommit: ((node: Node) => void)[] = []

  constructor(majority: number) {
    this.#majority = majority
  }

  get committed(): Node {
    return this.ledger.at(-1)!
  }

  onCommit(tell: (node: Node) => void): void {
    this.#onCommit.push(tell)
  }

  find(chain: Uint8Array): Node | undefined {
    return this.#byChain.get(keyOf(chain))
  }

  /** Adds the entry on top of `parent`; the node that it has. */
  add(entry: Entry, parent: Node): Node {
    const key = keyOf(entry.chain)
    const known = this.#byChain.get(key)
    if (known) {
      expect(known.parent === parent, 'P3', () => `entry ${entry.index} on another log than before`)
      return known
    }
    const where = `entry ${entry.index} of ${formatEpoch(entry.epoch)}`
    const chain = chainOf(parent.entry?.chain ?? CHAIN_ZERO, entry)
    expect(sameBytes(chain, entry.chain), 'P3', () => `${where}: its chain is wrong`)
    expect(entry.index === parent.index + 1, 'P3', () => `${where} after ${parent.index}`)
    expect(entry.lamport > parent.lamport, 'P6', () => `${where}: stamp ${entry.lamport}`)
    const place = `${entry.index}/${formatEpoch(entry.epoch)}`
    expect(!this.#byPlace.has(place), 'P1', () => `${where} was written twice, differently`)
    const fence = this.#fence(entry, parent, where)
    const node: Node = {
      index: entry.index,
      entry,
      meta: decodeMeta(entry.meta),
      parent,
      fence,
      lamport: entry.lamport,
      holders: 0,
    }
    this.#byPlace.set(place, node)
    const rivals = this.#byIndex.get(entry.index)
    if (rivals) rivals.push(node)
    else this.#byIndex.set(entry.index, [node])
    this.#byChain.set(key, node)
    return node
  }

  /** The entry at `index` that a majority holds, if there is exactly one. */
  durableAt(index: number): Node | undefined {
    const rivals = this.#byIndex.get(index) ?? []
    const durable = rivals.filter((node) => bits(node.holders) >= this.#majority)
    return durable.length === 1 ? durable[0] : undefined
  }

  #fence(entry: Entry, parent: Node, where: string): Fence {
    const { fence } = parent
    if (entry.term === 0) {
      expect(entry.k === 0, 'C7', () => `${where}: a cursor entry with k ${entry.k}`)
      return fence
    }
    if (entry.meta[0] === KIND.term) {
      expect(entry.term === fence.term + 1, 'C1', () => `${where}: TERM ${entry.term}`)
      return { term: entry.term, owner: decodeTerm(entry.body), k: 0, part: 1, parts: 1 }
    }
    const said = `${entry.term}/${entry.k}/${entry.part} of ${entry.parts}`
    const known = `${fence.term}/${fence.k}/${fence.part} of ${fence.parts}`
    expect(entry.term === fence.term, 'C1', () => `${where}: ${said} after ${known}`)
    const [k, part] = fence.part < fence.parts ? [fence.k, fence.part + 1] : [fence.k + 1, 1]
    const follows = entry.k === k && entry.part === part
    expect(follows, 'C7', () => `${where}: ${said} after ${known}`)
    return { ...fence, k, part, parts: entry.parts }
  }

  /** A draft that a coordinator asked to be appended; C2 binds the entry to it for ever. */
  drafted(term: number, k: number, part: number, draft: Draft): void {
    const key = `${term}/${k}/${part}`
    const known = this.#drafts.get(key)
    if (!known) return void this.#drafts.set(key, draft)
    expect(
      known.owner.slot === draft.owner.slot && known.owner.boot === draft.owner.boot,
      'C1',
      () => `p${draft.owner.slot} and p${known.owner.slot} both wrote ${key}`,
    )
    const same = sameBytes(known.meta, draft.meta) && sameBytes(known.body, draft.body)
    expect(same, 'C2', () => `p${draft.owner.slot} wrote ${key} with other bytes than before`)
  }

  /**
   * `who` reports the entry committed. `epoch`: the entry was committed in this epoch or in one
   * below; views above it must hold it.
   */
  report(node: Node, who: string, epoch?: Epoch): void {
    const known = this.ledger[node.index]
    if (!known) this.#extend(node, who)
    else if (known !== node) {
      throw new Violation('P3', `${who} reports another entry ${node.index} than before`)
    }
    if (!epoch || this.#committedIn.has(node)) return
    for (let at = node; at.parent && !this.#committedIn.has(at); at = at.parent) {
      this.#committedIn.set(at, epoch)
    }
    for (const install of this.#installs) {
      if (compareEpochs(install.epoch, epoch) <= 0) continue
      this.#contains(install.node, node, `view ${formatEpoch(install.epoch)}`)
    }
  }

  #extend(node: Node, who: string): void {
    const holders = bits(node.holders)
    expect(
      holders >= this.#majority,
      'P3',
      () => `${who} reports ${node.index} committed, durable in ${holders} files`,
    )
    const path: Node[] = []
    let at: Node = node
    for (; at.index >= this.ledger.length; at = at.parent!) path.push(at)
    expect(
      this.ledger[at.index] === at,
      'P3',
      () => `${who} reports ${node.index} committed on another log than entry ${at.index}`,
    )
    for (const next of path.reverse()) this.#commit(next)
  }

  #commit(node: Node): void {
    const { entry, meta } = node
    this.ledger.push(node)
    if (entry!.term > 0 && meta!.kind !== KIND.term) {
      const key = `${entry!.term}/${entry!.k}/${entry!.part}`
      const draft = this.#drafts.get(key)
      const { owner } = node.fence
      expect(
        draft?.owner.slot === owner?.slot && draft?.owner.boot === owner?.boot,
        'C1',
        () => `${key} is committed; its term's owner, p${owner?.slot}, did not write it`,
      )
      expect(sameBytes(draft!.body, entry!.body), 'C2', () => `${key}: not the bytes asked for`)
    }
    if (meta!.stream.length > 0 && meta!.seq > 0) {
      const stream = keyOf(meta!.stream)
      const next = this.#nextSeq.get(stream) ?? 1
      if (meta!.seq !== next) {
        throw new Violation('C3', `entry ${node.index}: seq ${meta!.seq}, next is ${next}`)
      }
      this.#nextSeq.set(stream, next + 1)
    }
    for (const tell of this.#onCommit) tell(node)
  }

  /**
   * A view begins with a log that ends at `node`: everything committed in lower epochs must be in
   * it.
   */
  installed(epoch: Epoch, node: Node): void {
    this.#installs.push({ epoch, node })
    let at = this.ledger.length - 1
    for (; at > 0; at--) {
      const committedIn = this.#committedIn.get(this.ledger[at]!)
      if (committedIn && compareEpochs(committedIn, epoch) < 0) break
    }
    this.#contains(node, this.ledger[at]!, `view ${formatEpoch(epoch)}`)
  }

  #contains(log: Node, committed: Node, where: string): void {
    let at: Node | null = log
    while (at && at.index > committed.index) at = at.parent
    expect(
      at === committed,
      'P3',
      () => `${where} ends at ${log.index} and does not hold committed entry ${committed.index}`,
    )
  }
}
