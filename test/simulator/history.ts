// Every entry that was ever written or sent, as a tree: a batch hangs on the entry that its chain
// follows. The path to the last committed entry is the ledger. The rules of a single path (P6, C1,
// C2, C3, C7) are checked once, where a batch joins the tree.

import {
  CHAIN_ZERO,
  bodiesMatch,
  chainOf,
  entriesOf,
  hasKind,
  isChained,
  type Batch,
  type Contents,
} from '../../protocol/entries/batch.js'
import { KIND, type Entry, type Meta } from '../../protocol/entries/entry.js'
import { sameBytes } from '../../protocol/bytes.js'
import { compareEpochs, formatEpoch, type Epoch } from '../../protocol/entries/epoch.js'
import { NO_FENCE, advanceFence, type Fence, type Owner } from '../../protocol/entries/fence.js'
import { Violation, expect } from './violation.js'

export interface Node {
  readonly index: number
  /** null: this node is the place before entry 1. */
  readonly entry: Entry | null
  readonly meta: Meta | null
  readonly batch: Batch | null
  /** null: the entry is not the last of its batch, so no log ends here. */
  readonly chain: Uint8Array | null
  readonly parent: Node | null
  /** Newest term on the path to this node, and the last order of that term. */
  readonly fence: Fence
  readonly lamport: number
  /**
   * Bit n: the entry was durable, at some time, in slot n's file while that replica was a voter.
   */
  holders: number
}

interface Drafted extends Contents {
  readonly owner: Pick<Owner, 'slot' | 'boot'>
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
    batch: null,
    chain: CHAIN_ZERO,
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
  readonly #drafts = new Map<string, Drafted>()
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

  /** Adds the batch on top of `parent`; the node of its last entry. */
  add(batch: Batch, parent: Node): Node {
    const key = keyOf(batch.chain)
    const known = this.#byChain.get(key)
    if (known) {
      const before = this.#before(known)
      expect(before === parent, 'P3', () => `entry ${batch.first} on another log than before`)
      this.sameBodies(batch, known)
      return known
    }
    const where = `entry ${batch.first} of ${formatEpoch(batch.epoch)}`
    const { chain: previous } = parent
    const follows = previous !== null && sameBytes(chainOf(previous, batch), batch.chain)
    expect(follows, 'P3', () => `${where}: its chain is wrong`)
    expect(isChained(previous!, [batch]), 'P3', () => `${where}: a body is not its head's`)
    expect(batch.first === parent.index + 1, 'P3', () => `${where} after ${parent.index}`)
    expect(batch.lamport > parent.lamport, 'P6', () => `${where}: stamp ${batch.lamport}`)
    const place = `${batch.first}/${formatEpoch(batch.epoch)}`
    expect(!this.#byPlace.has(place), 'P1', () => `${where} was written twice, differently`)
    this.#checkFence(batch, parent.fence, where)
    const fence = advanceFence(parent.fence, batch)
    const entries = entriesOf(batch)
    let node = parent
    for (const entry of entries) {
      const ends = entry.place === entries.length - 1
      node = {
        index: entry.index,
        entry,
        meta: entry.meta,
        batch,
        chain: ends ? batch.chain : null,
        parent: node,
        fence: ends ? fence : parent.fence,
        lamport: batch.lamport,
        holders: 0,
      }
      const rivals = this.#byIndex.get(entry.index)
      if (rivals) rivals.push(node)
      else this.#byIndex.set(entry.index, [node])
    }
    this.#byPlace.set(place, node)
    this.#byChain.set(key, node)
    return node
  }

  /** The chain covers the head alone, so the bodies of a known batch are compared with it again. */
  sameBodies(batch: Batch, { batch: known }: Node): void {
    const same = batch.bodies === known?.bodies || bodiesMatch(batch)
    expect(same, 'P3', () => `entry ${batch.first}: a body is not its head's`)
  }

  /** The node that the batch of this node follows. */
  #before(node: Node): Node {
    let at = node
    while (at.batch === node.batch) at = at.parent!
    return at
  }

  /** The entry at `index` that a majority holds, if there is exactly one. */
  durableAt(index: number): Node | undefined {
    const rivals = this.#byIndex.get(index) ?? []
    const durable = rivals.filter((node) => bits(node.holders) >= this.#majority)
    return durable.length === 1 ? durable[0] : undefined
  }

  #checkFence(batch: Batch, fence: Fence, where: string): void {
    const { term, k } = batch
    if (term === 0) return expect(k === 0, 'C7', () => `${where}: a marks entry with k ${k}`)
    if (hasKind(batch, KIND.term))
      return expect(term === fence.term + 1, 'C1', () => `${where}: TERM ${term}`)
    const said = `${term}/${k} after ${fence.term}/${fence.k}`
    expect(term === fence.term, 'C1', () => `${where}: ${said}`)
    expect(k === fence.k + 1, 'C7', () => `${where}: ${said}`)
  }

  /** What a coordinator asked to be appended as an order; C2 binds the batch to it for ever. */
  drafted(term: number, k: number, draft: Drafted): void {
    const key = `${term}/${k}`
    const known = this.#drafts.get(key)
    if (!known) return void this.#drafts.set(key, draft)
    expect(
      known.owner.slot === draft.owner.slot && known.owner.boot === draft.owner.boot,
      'C1',
      () => `p${draft.owner.slot} and p${known.owner.slot} both wrote ${key}`,
    )
    const same = sameBytes(known.head, draft.head) && sameBytes(known.bodies, draft.bodies)
    expect(same, 'C2', () => `p${draft.owner.slot} wrote ${key} with other bytes than before`)
  }

  /**
   * `who` reports the entry committed. `epoch`: the entry was committed in this epoch or in one
   * below; views above it must hold it.
   */
  report(node: Node, who: string, epoch?: Epoch): void {
    expect(node.chain !== null, 'P3', () => `${who} reports half a batch committed, ${node.index}`)
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
    if (entry!.k > 0 && node.chain !== null) {
      const key = `${entry!.term}/${entry!.k}`
      const draft = this.#drafts.get(key)
      const { owner } = node.fence
      expect(
        draft?.owner.slot === owner?.slot && draft?.owner.boot === owner?.boot,
        'C1',
        () => `${key} is committed; its term's owner, p${owner?.slot}, did not write it`,
      )
      const same = sameBytes(draft!.head, node.batch!.head)
      expect(same, 'C2', () => `${key}: not the bytes asked for`)
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
