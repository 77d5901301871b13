// Random frames through the decoder, in this process. Each gives a message or a WireError and
// nothing else, and no memory is allocated for a refused length.

import t from 'tap'
import { CONVERSATIONS } from '../../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../../protocol/wire/frame.js'
import { WireError } from '../../protocol/schema/schema.js'
import { Random } from '../simulator/random.js'
import { Frames, messageIn, type Conversation, type Frame } from './frames.js'
import { FORBIDDEN } from './packed.js'
import { Pool } from './pool.js'
import { SEEDS } from './seeds.js'

const SEED = 1
const FRAMES = 60_000
const LIMIT = 1024 * 1024
const ALL = Object.keys(CONVERSATIONS) as Conversation[]

/** Number of messages that the decoder gives, or the text of its WireError. */
function decode(bytes: Buffer, chunk = bytes.length): number | string {
  const decoder = new FrameDecoder(LIMIT)
  let messages = 0
  try {
    for (let at = 0; at < bytes.length; at += chunk) {
      messages += decoder.push(bytes.subarray(at, at + chunk)).length
    }
    return messages
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
}

function describe(frame: Frame, number: number): string {
  return `seed ${SEED}, frame ${number}, ${frame.kind}: ${frame.bytes.toString('hex')}`
}

t.test(`${FRAMES} frames: each is decoded if it is a message, else refused`, async (t) => {
  const pool = new Pool()
  const frames = new Frames(new Random(SEED, 'frames'), pool)
  const kinds = new Map<string, number>()
  const wrong: string[] = []
  for (let i = 0; i < FRAMES; i++) {
    const frame = frames.next(ALL, 0.4)
    const kind = frame.kind.split(/[ :]/)[0]!
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    // A `length` frame has no body: the decoder must refuse it without waiting for one.
    const got = decode(frame.bytes, i % 8 === 0 ? 1 : frame.bytes.length)
    if ((typeof got === 'string') !== frame.malformed) wrong.push(`${describe(frame, i)}: ${got}`)
    const message = messageIn(frame.bytes.subarray(4))
    if (message) pool.learn(message)
  }
  t.same(wrong, [])
  t.comment([...kinds].map(([kind, count]) => `${kind} ${count}`).join(', '))
})

t.test('the same seed makes the same frames', async (t) => {
  const run = () => {
    const frames = new Frames(new Random(7, 'frames'), new Pool())
    return Array.from({ length: 200 }, () => frames.next(ALL, 0.5).bytes.toString('hex'))
  }
  t.same(run(), run())
})

t.test('each forbidden value is refused, and each seed message is decoded', async (t) => {
  for (const { name, bytes } of FORBIDDEN) t.equal(messageIn(bytes), null, name)
  for (const [type, messages] of SEEDS) {
    for (const message of messages) t.equal(decode(encodeFrame(message)), 1, type)
  }
})

t.test('an announced length allocates no memory', async (t) => {
  const before = process.memoryUsage()
  const open = Array.from({ length: 1_000 }, () => new FrameDecoder(4096))
  const prefix = Buffer.from('ffffffff', 'hex')
  const refused = open.filter((decoder) => {
    try {
      return decoder.push(prefix).length > 0
    } catch (error) {
      return error instanceof WireError
    }
  })
  t.equal(refused.length, open.length)
  const { arrayBuffers } = process.memoryUsage()
  t.ok(arrayBuffers - before.arrayBuffers < 64 * 1024 * 1024)
})
