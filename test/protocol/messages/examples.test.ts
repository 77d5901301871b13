// The examples in docs/PROTOCOL.md: whole frames of the named message, with the values that their
// remarks name.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { FrameDecoder, encodeFrame } from '../../../protocol/wire/frame.js'

const DOCUMENT = fileURLToPath(new URL('../../../../docs/PROTOCOL.md', import.meta.url))
const BLOCK = /```hex (\w+)\n([^]*?)```/g
/** Bytes, and after two blanks a remark. */
const LINE = /^ *((?:[0-9a-f]{2} ?)+?)(?:  +(.*))?$/

interface Example {
  readonly type: string
  readonly bytes: Buffer
  /** Fields whose value a remark gives. */
  readonly said: readonly [string, string][]
}

function examples(): Example[] {
  return [...readFileSync(DOCUMENT, 'utf8').matchAll(BLOCK)].map(([, type, block]) => {
    const lines = block!
      .trimEnd()
      .split('\n')
      .map((line) => LINE.exec(line.trimEnd()))
    const hex = lines
      .map((line) => line?.[1] ?? 'not hex')
      .join('')
      .replaceAll(' ', '')
    const said = lines.flatMap((line): [string, string][] => {
      const [, name, value] = /^(\w+): (.*)$/.exec(line?.[2] ?? '') ?? []
      return name && value ? [[name, value]] : []
    })
    return { type: type!, bytes: Buffer.from(hex, 'hex'), said }
  })
}

t.test('each example is one frame of its message, byte for byte as it is sent', async (t) => {
  const all = examples()
  t.ok(all.length >= 8)
  for (const { type, bytes, said } of all) {
    const [message, ...rest] = new FrameDecoder(4096).push(bytes) as (Message | undefined)[]
    t.equal(message?.type, type)
    t.same(rest, [], 'one frame')
    if (!message) continue
    t.equal(encodeFrame(message).toString('hex'), bytes.toString('hex'), type)
    for (const [name, value] of said) {
      t.equal(
        String((message as unknown as Record<string, unknown>)[name]),
        value,
        `${type} ${name}`,
      )
    }
  }
})
