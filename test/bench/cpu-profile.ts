// Reads a .cpuprofile of V8: the time that was spent in each function itself, and what it was spent
// on. A category is found by the function's name and file, in one table.

/** The part of V8's format that is used; times are in µs of the machine's monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: readonly number[]
  }[]
  readonly startTime: number
  readonly endTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  readonly functionName: string
  /** File below the package's folder, or Node's own; empty for native functions. */
  readonly file: string
  readonly category: Category
  readonly us: number
}

interface Rule {
  readonly category: string
  readonly name?: RegExp
  readonly file?: RegExp
}

/**
 * The first row that fits counts. What is Node's own and fits none counts for its caller: a buffer
 * that is made for a frame is a cost of the codec. TLS has its ciphers inside writeBuffer and inside
 * what V8 calls (program), so its row has the JavaScript of TLS only.
 */
const RULES = [
  { category: 'idle', name: /^\(idle\)$/ },
  { category: 'GC', name: /^\(garbage collector\)$/ },
  { category: 'sockets', name: /^(writeBuffer|writev|write\w+String|shutdown|read(Start|Stop))$/ },
  { category: 'TLS', file: /^node:(_tls_|tls$|internal\/tls)/ },
  { category: 'sockets', file: /^node:(net$|stream$|_stream_|internal\/streams?[/_])/ },
  { category: 'sockets', file: /^dist\/daemons\/net\// },
  { category: 'hashing', file: /^node:internal\/crypto\/hash$/ },
  { category: 'sealing', file: /^node:internal\/crypto\/|^dist\/protocol\/(envelope|rsa)\// },
  { category: 'SQLite', file: /^node_modules\/(sqlite3|bindings)\/|^dist\/daemons\/storage\// },
  { category: 'validation', file: /^dist\/protocol\/(messages\/|wire\/strict)/ },
  { category: 'codec', file: /^node_modules\/msgpackr|^dist\/protocol\/(wire|schema)\// },
  { category: 'machine', file: /^dist\/protocol\// },
  { category: 'driver', file: /^dist\/daemons\/runtime\// },
] as const satisfies readonly Rule[]

export type Category = (typeof RULES)[number]['category'] | 'other'

export const CATEGORIES: readonly Category[] = [
  ...new Set<Category>(RULES.map(({ category }) => category)),
  'other',
]

function ruleFor(functionName: string, file: string): Category | undefined {
  const fits = ({ name, file: place }: Rule): boolean =>
    name ? file === '' && name.test(functionName) : place!.test(file)
  return RULES.find(fits)?.category
}

/** From dist/ or node_modules/ on; Node's own names stay. */
function shortened(url: string): string {
  return url.replace(/^.*?\/(?=(dist|node_modules)\/)/, '').replace(/^file:\/\//, '')
}

interface Window {
  readonly fromUs: number
  readonly toUs: number
}

/** Time spent in each function itself, most first, of the samples that were taken in the window. */
export function selfTimes(profile: CpuProfile, window: Window): SelfTime[] {
  const parents = new Map<number, number>()
  for (const { id, children = [] } of profile.nodes) {
    for (const child of children) parents.set(child, id)
  }
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const categories = new Map<number, Category>()
  const categoryOf = (id: number): Category => {
    const known = categories.get(id)
    if (known) return known
    const { functionName, url } = nodes.get(id)!.callFrame
    const parent = parents.get(id)
    const isNodes = url === '' || url.startsWith('node:')
    const category =
      ruleFor(functionName, shortened(url)) ??
      (isNodes && parent !== undefined ? categoryOf(parent) : 'other')
    categories.set(id, category)
    return category
  }
  const found = new Map<
    string,
    { functionName: string; file: string; category: Category; us: number }
  >()
  let at = profile.startTime
  for (const [i, id] of profile.samples.entries()) {
    at += profile.timeDeltas[i]!
    // A sample stands for the time until the next; the last stands for nothing.
    const us = profile.timeDeltas[i + 1]
    if (us === undefined || at < window.fromUs || at >= window.toUs) continue
    const { functionName, url } = nodes.get(id)!.callFrame
    const file = shortened(url)
    const category = categoryOf(id)
    const key = `${category} ${functionName} ${file}`
    const one = found.get(key) ?? {
      functionName: functionName || '(anonymous)',
      file,
      category,
      us: 0,
    }
    one.us += us
    found.set(key, one)
  }
  return [...found.values()].sort((a, b) => b.us - a.us)
}

/** Time by category. */
export function byCategory(times: readonly SelfTime[]): Map<Category, number> {
  const sums = new Map<Category, number>(CATEGORIES.map((category) => [category, 0]))
  for (const { category, us } of times) sums.set(category, sums.get(category)! + us)
  return sums
}
