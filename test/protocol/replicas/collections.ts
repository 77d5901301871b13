// Walks the objects that a machine consists of, private fields too, and lists each collection that it
// finds by its class and field. The inspector of Node shows private fields; nothing else does.

import { Session, type Runtime } from 'node:inspector'

export interface Collection {
  /** Class and field, `Ledger.accounts`; of a collection within another, the field of the outer one. */
  readonly at: string
  readonly kind: string
  readonly size: number
}

type RemoteObject = Runtime.RemoteObject

const GROWS = new Set(['map', 'set', 'array'])
/** Objects that hold no state of a machine. */
const LEAVES = new Set([
  'typedarray',
  'arraybuffer',
  'dataview',
  'regexp',
  'date',
  'error',
  'promise',
])

class Walk {
  readonly #session = new Session()
  readonly #found = new Map<string, Collection>()

  constructor() {
    this.#session.connect()
  }

  #post<T>(method: string, params: object): T {
    let answer: T | undefined
    // The session is in this thread, so the answer comes before `post` returns.
    this.#session.post(method, params, (error, result) => {
      if (error) throw error
      answer = result as T
    })
    return answer!
  }

  collect(root: object): Collection[] {
    const holder = globalThis as { walked?: object }
    holder.walked = root
    const { result } = this.#post<{ result: RemoteObject }>('Runtime.evaluate', {
      expression: 'walked',
    })
    this.#visit(result, root.constructor.name)
    delete holder.walked
    this.#session.disconnect()
    return [...this.#found.values()]
  }

  /** True: the object was visited before. */
  #isKnown(object: RemoteObject): boolean {
    const { result } = this.#post<{ result: RemoteObject }>('Runtime.callFunctionOn', {
      objectId: object.objectId,
      functionDeclaration:
        'function () { const known = walkedObjects.has(this); walkedObjects.add(this);' +
        ' return known }',
      returnByValue: true,
    })
    return result.value === true
  }

  #visit(object: RemoteObject, at: string): void {
    if (object.type !== 'object' || !object.objectId || object.subtype === 'null') return
    if (LEAVES.has(object.subtype ?? '') || this.#isKnown(object)) return
    const properties = this.#post<
      Runtime.GetPropertiesReturnType & { privateProperties?: Named[] }
    >('Runtime.getProperties', { objectId: object.objectId, ownProperties: true })
    if (GROWS.has(object.subtype ?? '')) return this.#collection(object, properties, at)
    const name = object.className ?? ''
    const own = [...properties.result, ...(properties.privateProperties ?? [])]
    for (const { name: field, value } of own) {
      if (!value || field === '__proto__') continue
      this.#visit(value, name === 'Object' ? at : `${name}.${field}`)
    }
  }

  #collection(
    object: RemoteObject,
    { result, internalProperties = [] }: Runtime.GetPropertiesReturnType,
    at: string,
  ): void {
    const size = Number(/\((\d+)\)/.exec(object.description ?? '')?.[1] ?? 0)
    const known = this.#found.get(at)
    // The outermost one gives the kind.
    const kind = known?.kind ?? object.subtype!
    this.#found.set(at, { at, kind, size: Math.max(size, known?.size ?? 0) })
    const entries = internalProperties.find(({ name }) => name === '[[Entries]]')?.value
    const items = entries?.objectId
      ? this.#post<Runtime.GetPropertiesReturnType>('Runtime.getProperties', {
          objectId: entries.objectId,
          ownProperties: true,
        }).result
      : result
    for (const { name, value } of items) {
      if (!value?.objectId || !/^\d+$/.test(name)) continue
      if (entries) this.#entry(value, at)
      else this.#visit(value, at)
    }
  }

  /** An entry of a map or set, which the inspector shows as an object. */
  #entry(entry: RemoteObject, at: string): void {
    const { result } = this.#post<Runtime.GetPropertiesReturnType>('Runtime.getProperties', {
      objectId: entry.objectId!,
      ownProperties: true,
    })
    for (const { value } of result) if (value) this.#visit(value, at)
  }
}

interface Named {
  readonly name: string
  readonly value?: RemoteObject
}

/** The collections in the state of `root`: of each place the largest one. */
export function collectionsOf(root: object): Collection[] {
  const holder = globalThis as { walkedObjects?: WeakSet<object> }
  holder.walkedObjects = new WeakSet()
  const found = new Walk().collect(root)
  delete holder.walkedObjects
  return found
}
