// Every example in the docstrings of `troca` and `troca/rsa`, and every program of examples/, is
// type-checked against the declarations that the package ships; and the reference is complete.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const ENTRIES = ['dist/clients/index.d.ts', 'dist/protocol/rsa/index.d.ts'].map((path) => {
  return join(ROOT, path)
})
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules', '@types')],
  strict: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
}
/** The examples of methods assume this declaration. */
const GIVEN = "declare const client: import('troca').Client\n"

interface Documented {
  /** For example `MessageApi.send`. */
  readonly name: string
  readonly isMethod: boolean
  /** The code of its examples. */
  readonly examples: readonly string[]
}

const tagsOf = (symbol: ts.Symbol): readonly ts.JSDocTag[] =>
  (symbol.declarations ?? []).flatMap((declaration) => ts.getJSDocTags(declaration))

function examplesOf(symbol: ts.Symbol): string[] {
  const tags = tagsOf(symbol).filter(({ tagName }) => tagName.text === 'example')
  return tags.map(({ comment }) => {
    const text = ts.getTextOfJSDocComment(comment) ?? ''
    const [, code] = /^```ts\n([^]*)\n```$/.exec(text.trim()) ?? []
    if (code === undefined) throw new Error(`the example of ${symbol.name} is no block of ts`)
    return code
  })
}

const isInternal = (symbol: ts.Symbol): boolean =>
  tagsOf(symbol).some(({ tagName }) => tagName.text === 'internal')

/** Methods that an interface of the class documents. */
function describedElsewhere(symbol: ts.Symbol, checker: ts.TypeChecker): ReadonlySet<string> {
  const classes = (symbol.declarations ?? []).filter(ts.isClassDeclaration)
  const heritage = classes.flatMap(({ heritageClauses }) => heritageClauses ?? [])
  const types = heritage.flatMap((clause) => clause.types)
  return new Set(
    types
      .flatMap((type) => checker.getTypeAtLocation(type).getProperties())
      .map(({ name }) => name),
  )
}

/** Everything that the two entries export, and its members. */
function documented(): Documented[] {
  const program = ts.createProgram(ENTRIES, OPTIONS)
  const checker = program.getTypeChecker()
  return ENTRIES.flatMap((entry) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const alias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      const symbol = alias ? checker.getAliasedSymbol(exported) : exported
      const isClass = (symbol.flags & ts.SymbolFlags.Class) !== 0
      // AccountApi and MessageApi document the methods of Client.
      const isApi = symbol.name.endsWith('Api')
      const elsewhere = describedElsewhere(symbol, checker)
      const members = [...(symbol.members?.values() ?? [])].filter((member) => !isInternal(member))
      const methods = members.filter(({ flags, name }) => {
        const isMethod = (flags & ts.SymbolFlags.Method) !== 0
        return isMethod && (isApi || (isClass && !elsewhere.has(name)))
      })
      return [
        { name: symbol.name, isMethod: false, examples: examplesOf(symbol) },
        ...members.map((member) => {
          const isMethod = methods.includes(member)
          return { name: `${symbol.name}.${member.name}`, isMethod, examples: examplesOf(member) }
        }),
      ]
    })
  })
}

/** Type-checks texts as if they were files of the project; gives one line for each error. */
function complaints(texts: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(OPTIONS, true)
  const fileExists = host.fileExists.bind(host)
  const readFile = host.readFile.bind(host)
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  const source = host.getSourceFile.bind(host)
  host.getSourceFile = (path, options, ...more) => {
    const text = texts.get(path)
    if (text === undefined) return source(path, options, ...more)
    return ts.createSourceFile(path, text, options, true)
  }
  // Programs of examples/ import each other, so the compiler reads them as files.
  const programs = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.mjs'))
  const files = [...texts.keys(), ...programs.map((name) => join(ROOT, 'examples', name))]
  const program = ts.createProgram(files, OPTIONS, host)
  return ts.getPreEmitDiagnostics(program).map((found) => {
    const where = found.file?.fileName.replace(ROOT, '') ?? ''
    return `${where}: ${ts.flattenDiagnosticMessageText(found.messageText, '\n')}`
  })
}

// Generous, because typedoc reads the whole project.
t.setTimeout(180_000)

const all = documented()
const given = join(ROOT, 'given.d.ts')

t.test('each method of the library has an example', async (t) => {
  const methods = all.filter(({ isMethod }) => isMethod)
  t.ok(methods.length >= 25, `${methods.length} methods`)
  for (const { name, examples } of methods) t.ok(examples.length > 0, name)
})

t.test(
  'the examples of docstrings and the programs of examples/ pass the type check',
  async (t) => {
    const texts = new Map([[given, GIVEN]])
    for (const { name, examples } of all) {
      examples.forEach((code, i) => {
        // An export makes the text a module, so that its names do not clash with other examples.
        texts.set(join(ROOT, 'examples', `${name}-${i + 1}.mts`), `${code}\nexport {}\n`)
      })
    }
    t.ok(texts.size >= 35, `${texts.size} texts`)
    t.strictSame(complaints(texts), [])
  },
)

t.test('an example that calls a missing method fails the type check', async (t) => {
  const text = "client.sned('alice', 'olá')\nexport {}\n"
  const found = complaints(
    new Map([
      [given, GIVEN],
      [join(ROOT, 'examples', 'wrong.mts'), text],
    ]),
  )
  t.match(found, [/wrong\.mts: Property 'sned' does not exist/])
})

t.test('the reference documents every export, and its links resolve', async (t) => {
  const typedoc = join(ROOT, 'node_modules', 'typedoc', 'bin', 'typedoc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--emit', 'none'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout + stderr)
})
