// Writes what is generated from the message catalogue: docs/MESSAGES.md and the golden frames.
// Without arguments it writes the files; test/protocol/messages/generated.test.ts compares them.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ERRORS } from '../protocol/errors.js'
import { encodeFrame } from '../protocol/wire/frame.js'
import { CONVERSATIONS, MESSAGE_TYPES } from '../protocol/messages/catalogue.js'
import type { Message } from '../protocol/messages/catalogue.js'
import type { AnyShape, MessageType } from '../protocol/schema/schema.js'

type Loose = MessageType<string, AnyShape>

/** From dist/test/ back to the sources. */
const ROOT = new URL('../../', import.meta.url)
export const DOCS_FILE = fileURLToPath(new URL('docs/MESSAGES.md', ROOT))
export const GOLDEN_FILE = fileURLToPath(new URL('test/vectors/golden-frames.json', ROOT))

const byTag = (a: Loose, b: Loose): number => a.tag - b.tag

/** One message of each type, made of the examples of its fields; in the order of the tags. */
export const EXAMPLES: readonly Message[] = [...MESSAGE_TYPES].sort(byTag).map(
  ({ name, shape }) =>
    ({
      type: name,
      ...Object.fromEntries(Object.entries(shape).map(([field, { example }]) => [field, example])),
    }) as unknown as Message,
)

/** Name of the message → frame of its example, hex. */
export function goldenFrames(): string {
  const frames = EXAMPLES.map((message) => [message.type, encodeFrame(message).toString('hex')])
  return `${JSON.stringify(Object.fromEntries(frames), null, 2)}\n`
}

const TITLES: Record<keyof typeof CONVERSATIONS, string> = {
  handshake: 'Every connection',
  client: 'Client and processing replica',
  ring: 'Between processing replicas',
  waist: 'Processing and persistence: the narrow waist',
  persistence: 'Between persistence replicas',
}

function section({ tag, name, meaning, shape }: Loose): string[] {
  const rows = Object.entries(shape).map(
    ([field, { label }], i) => `| ${i + 1} | \`${field}\` | ${label.replaceAll('|', '\\|')} |`,
  )
  const table = ['| # | field | type |', '| - | ----- | ---- |', ...rows]
  const hex = `0x${tag.toString(16).padStart(2, '0')}`
  return ['', `### ${hex} ${name}`, '', meaning, '', ...(rows.length > 0 ? table : ['No fields.'])]
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
    'that opens with its number. Integers above 2^32 - 1 travel as 64-bit integers. There are no',
    'maps, no floats and no extensions, and text is strict UTF-8; anything else is answered with',
    'one ERROR and the connection is closed.',
  ]
  for (const [key, conversation] of Object.entries(CONVERSATIONS)) {
    lines.push('', `## ${TITLES[key as keyof typeof CONVERSATIONS]}`)
    const types = Object.values(conversation) as unknown as Loose[]
    for (const type of types.sort(byTag)) lines.push(...section(type))
  }
  return `${[...lines, ...errorSection()].join('\n')}\n`
}

export function checkedIn(file: string): string {
  return readFileSync(file, 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCS_FILE, messagesDocument())
  writeFileSync(GOLDEN_FILE, goldenFrames())
}
