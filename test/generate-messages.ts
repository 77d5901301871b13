// Writes what is generated from the message catalogue: docs/MESSAGES.md, the table of requests in
// docs/PROTOCOL.md and the golden frames. Without arguments it writes the files;
// test/protocol/messages/generated.test.ts compares them.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ERRORS } from '../protocol/errors.js'
import { encodeFrame } from '../protocol/wire/frame.js'
import { CONVERSATIONS, MESSAGE_TYPES, type Message } from '../protocol/messages/catalogue.js'
import type { AnyMessageType, ClientTerms, LogIn, Speaker } from '../protocol/schema/message.js'
import type { AnyField, AnyShape, Definition } from '../protocol/schema/schema.js'
import { withRequests } from './generate-requests.js'

/** From dist/test/ back to the sources. */
const ROOT = new URL('../../', import.meta.url)
export const DOCS_FILE = fileURLToPath(new URL('docs/MESSAGES.md', ROOT))
export const PROTOCOL_FILE = fileURLToPath(new URL('docs/PROTOCOL.md', ROOT))
export const GOLDEN_FILE = fileURLToPath(new URL('test/vectors/golden-frames.json', ROOT))

const byTag = (a: AnyMessageType, b: AnyMessageType): number => a.tag - b.tag

/** A message of each type, made of the examples of its fields; in the order of the tags. */
export const EXAMPLES: readonly Message[] = [...MESSAGE_TYPES].sort(byTag).map(
  ({ name, fields }) =>
    ({
      type: name,
      ...Object.fromEntries(Object.entries(fields).map(([field, { example }]) => [field, example])),
    }) as unknown as Message,
)

/** Name of the message → frame of its example, hex. */
export function goldenFrames(): string {
  const frames = EXAMPLES.map((message) => [message.type, encodeFrame(message).toString('hex')])
  return `${JSON.stringify(Object.fromEntries(frames), null, 2)}\n`
}

/** "A", "A and B", "A, B and C". */
function oneOfAll(names: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(names)
}

const TITLES: Record<keyof typeof CONVERSATIONS, string> = {
  handshake: 'Every connection',
  client: 'Client and processing replica',
  ring: 'Between processing replicas',
  logService: 'Processing and persistence: the log service',
  persistence: 'Between persistence replicas',
}

const SPEAKERS: Record<Speaker, string> = {
  client: 'Said by a client.',
  processing: 'Said by a processing replica.',
  persistence: 'Said by a persistence replica.',
  either: 'Said by either end.',
}

const LOG_INS: Record<LogIn, string> = {
  required: ' Needs a log-in.',
  none: ' Needs no log-in.',
  'unless-repeated': ' Needs a log-in, unless it is repeated.',
}

function termsOf({ login, ordered, repeated }: ClientTerms): string {
  return `${LOG_INS[login]}${ordered ? ' A command.' : ''} Repeated: ${repeated}.`
}

const askedBy = (answer: string): string[] =>
  MESSAGE_TYPES.filter(({ answers }) => answers.includes(answer)).map(({ name }) => name)

/** The sentences about a message that are not about its fields. */
function circumstances({ name, by, answers, terms }: AnyMessageType): string {
  const asked = askedBy(name)
  const answered = answers.length > 0 ? ` Answered by ${oneOfAll(answers)}.` : ''
  const answering = asked.length > 0 ? ` Answers ${oneOfAll(asked)}.` : ''
  return `${SPEAKERS[by]}${answered || answering || ' Not answered.'}${terms ? termsOf(terms) : ''}`
}

function typeOf({ label, definition }: AnyField): string {
  const link = definition && `[${definition.name}](#${definition.name.replaceAll(' ', '-')})`
  return link ? label.replace(definition.name, link) : label
}

function fieldTable(fields: AnyShape): string[] {
  const rows = Object.entries(fields).map(
    ([name, field], i) => `| ${i + 1} | \`${name}\` | ${typeOf(field)} | ${field.meaning} |`,
  )
  if (rows.length === 0) return ['No fields.']
  return ['| # | field | type | meaning |', '| - | ----- | ---- | ------- |', ...rows]
}

function section(row: AnyMessageType): string[] {
  const { tag, name, meaning, fields } = row
  const hex = `0x${tag.toString(16).padStart(2, '0')}`
  return ['', `### ${hex} ${name}`, '', meaning, '', circumstances(row), '', ...fieldTable(fields)]
}

/** The records and choices within these fields, at any depth. */
function definitionsIn(fields: AnyShape): Definition[] {
  return Object.values(fields).flatMap(({ definition }) => {
    if (!definition) return []
    const shapes = 'choices' in definition ? Object.values(definition.choices) : [definition.fields]
    return [definition, ...shapes.flatMap(definitionsIn)]
  })
}

/** In the order of their names. Throws where two have the same name. */
function definitions(): Definition[] {
  const byName = new Map<string, Definition>()
  for (const definition of MESSAGE_TYPES.flatMap(({ fields }) => definitionsIn(fields))) {
    const { name } = definition
    const known = byName.get(name)
    if (known && known !== definition) throw new Error(`two records are called ${name}`)
    byName.set(name, definition)
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function definitionSection(definition: Definition): string[] {
  const head = ['', `### ${definition.name}`, '', definition.meaning]
  if (!('choices' in definition)) return [...head, '', ...fieldTable(definition.fields)]
  const choices = Object.entries(definition.choices).flatMap(([kind, fields], i) => [
    ...['', `#### ${i} ${kind}`, '', ...fieldTable(fields)],
  ])
  return [...head, ...choices]
}

const yes = (holds: boolean): string => (holds ? 'yes' : '')

function errorSection(): string[] {
  const kinds = Object.entries(ERRORS).sort(([, a], [, b]) => a.code - b.code)
  const rows = kinds.map(([name, { code, text, retriable, definite, hint }]) => {
    return `| ${code} | ${name} | ${yes(retriable)} | ${yes(definite)} | ${text}: ${hint} |`
  })
  return [
    '',
    '## Errors',
    '',
    'In `code` of ERROR. 1xx: what was asked; 2xx: the state of the cluster; 3xx: the connection,',
    'which is closed after it. Retriable: the same request may succeed later. Definite: the thing',
    'asked for certainly did not happen; what `definite` of the message itself says takes precedence.',
    '',
    '| code | name | retriable | definite | meaning, and what to do |',
    '| ---- | ---- | --------- | -------- | ----------------------- |',
    ...rows,
  ]
}

export function messagesDocument(): string {
  const lines = [
    '# Messages',
    '',
    '<!-- Generated from protocol/messages by test/generate-messages.ts. Do not edit. -->',
    '',
    'A frame is a length (uint32, big-endian, of what follows) and one MessagePack value: an array',
    'of the tag and then the fields in the order given. Records are arrays too; a choice is an array',
    'that opens with its number; their tables come after those of the messages. Integers above',
    '2^32 - 1 travel as 64-bit integers. There are no maps, no floats and no extensions, and text is',
    'strict UTF-8; anything else is answered with one ERROR and the connection is closed. ERROR may',
    'also answer any request in place of the answers that are listed.',
  ]
  for (const [key, conversation] of Object.entries(CONVERSATIONS)) {
    lines.push('', `## ${TITLES[key as keyof typeof CONVERSATIONS]}`)
    const types = Object.values(conversation) as unknown as AnyMessageType[]
    for (const type of types.sort(byTag)) lines.push(...section(type))
  }
  lines.push('', '## Records and choices', ...definitions().flatMap(definitionSection))
  return `${[...lines, ...errorSection()].join('\n')}\n`
}

export function checkedIn(file: string): string {
  return readFileSync(file, 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCS_FILE, messagesDocument())
  writeFileSync(GOLDEN_FILE, goldenFrames())
  writeFileSync(PROTOCOL_FILE, withRequests(checkedIn(PROTOCOL_FILE)))
}
