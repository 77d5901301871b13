// The rows of the catalogue: each is complete, they fit one another, and the lists derived from
// them agree with them.

import t from 'tap'
import {
  BY_NAME,
  BY_TAG,
  CLIENT_REQUESTS,
  CONVERSATIONS,
  MESSAGE_TYPES,
  isClientRequest,
  type ClientNotice,
} from '../../../protocol/messages/catalogue.js'
import { message, type AnyMessageType } from '../../../protocol/schema/message.js'
import { record, variant } from '../../../protocol/schema/record.js'
import { bool, list, optional, type AnyShape } from '../../../protocol/schema/schema.js'
import { EXAMPLES } from '../../generate-messages.js'

const rowsOf = (conversation: keyof typeof CONVERSATIONS): AnyMessageType[] =>
  Object.values(CONVERSATIONS[conversation]) as unknown as AnyMessageType[]

/** Each field of the shape, at any depth, by its path. */
function fieldsIn(path: string, shape: AnyShape): [string, AnyShape[string]][] {
  return Object.entries(shape).flatMap(([name, field]): [string, AnyShape[string]][] => {
    const here = `${path}.${name}`
    const { definition } = field
    if (!definition) return [[here, field]]
    const within =
      'choices' in definition ? Object.entries(definition.choices) : [['', definition.fields]]
    const deeper = (within as [string, AnyShape][]).flatMap(([kind, fields]) =>
      fieldsIn(kind ? `${here}.${kind}` : here, fields),
    )
    return [[here, field], ...deeper]
  })
}

t.test('each tag and each name belongs to one message', async (t) => {
  t.equal(BY_TAG.size, MESSAGE_TYPES.length)
  t.equal(BY_NAME.size, MESSAGE_TYPES.length)
})

t.test('each message and each field has a meaning, in a sentence for a table', async (t) => {
  for (const { name, meaning, fields } of MESSAGE_TYPES) {
    t.match(meaning, /^[A-Z][^|\n]*\.$/, name)
    for (const [path, field] of fieldsIn(name, fields)) {
      t.match(field.meaning, /^[^|\n]+\.$/, path)
      t.notMatch(field.label, /[|\n]/, path)
    }
  }
})

t.test('the compiler demands a meaning, at every depth', async (t) => {
  const head = { tag: 0xff, name: 'TEST', by: 'processing', meaning: 'A test.' } as const
  // @ts-expect-error a field of a message without a meaning
  message({ ...head, fields: { done: bool } })
  // @ts-expect-error a list's meaning is not that of its item
  message({ ...head, fields: { done: list(bool.means('Done.'), 3) } })
  // @ts-expect-error an optional field's meaning is not that of its inner field
  message({ ...head, fields: { done: optional(bool.means('Done.')) } })
  // @ts-expect-error a field of a record
  record({ name: 'test', meaning: 'A test.', fields: { done: bool } })
  // @ts-expect-error a field of a choice
  variant({ name: 'test', meaning: 'A test.', choices: { one: { done: bool } } })
  // @ts-expect-error a client's message without its terms
  message({ ...head, by: 'client', fields: {} })
  // @ts-expect-error terms of a message that no client sends
  message({ ...head, login: 'none', fields: {} })
  t.equal(message({ ...head, fields: { done: bool.means('Done.') } }).fields.done.meaning, 'Done.')
})

t.test('means() gives the meaning to a copy of the field', async (t) => {
  const first = bool.means('The first.')
  const second = first.means('The second.')
  t.same([first.meaning, second.meaning], ['The first.', 'The second.'])
  t.notOk('meaning' in bool)
})

t.test('an answer comes from the other end, and repeats the id of its request', async (t) => {
  for (const conversation of ['client', 'logService'] as const) {
    for (const { name, by, answers, fields } of rowsOf(conversation)) {
      for (const answer of answers) {
        const { by: answerer, fields: answered } = BY_NAME.get(answer)!
        t.not(answerer, by, `${name}: ${answer}`)
        const id = ['request', 'id', 'nonce'].find((field) => field in fields)
        // FEED has many answers: BATCHES follow one another.
        if (name !== 'FEED') t.ok(id && id in answered, `${name}: ${answer}`)
      }
    }
  }
})

t.test('0 is no id of a request, only of the ERROR that ends a connection', async (t) => {
  for (const example of EXAMPLES) {
    if (!('request' in example)) continue
    const type = BY_NAME.get(example.type)!
    const [tag, id, ...rest] = type.write(example)
    t.equal(id, 1, example.type)
    const withNone = (): unknown => type.read([tag, 0, ...rest])
    if (example.type === 'ERROR') t.match(withNone(), { request: 0 })
    else t.throws(withNone, /request: uint 1..2\^53-1 request id expected/, example.type)
  }
})

t.test('the requests and notices of clients are told apart', async (t) => {
  const said = rowsOf('client').filter(({ by }) => by === 'client')
  const notices: Record<ClientNotice['type'], true> = {
    CURSOR: true,
    DELIVERED: true,
    LOGOUT: true,
  }
  const requests = said.filter(({ name }) => !(name in notices)).map(({ name }) => name)
  t.same([...CLIENT_REQUESTS.keys()].sort(), requests.sort())
  for (const example of EXAMPLES) {
    t.equal(isClientRequest(example), requests.includes(example.type), example.type)
  }
  for (const name of requests) t.equal(Object.keys(BY_NAME.get(name)!.fields)[0], 'request', name)
  t.equal(CLIENT_REQUESTS.get('SEND'), 'required')
  t.equal(CLIENT_REQUESTS.get('LOGIN'), 'none')
  t.equal(CLIENT_REQUESTS.get('DELETE_ACCOUNT'), 'unless-repeated')
})
