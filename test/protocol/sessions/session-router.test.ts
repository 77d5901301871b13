// The catalogue says of each request whether it needs a log-in. The router holds clients to it.

import t from 'tap'
import { LIMITS, TIMINGS } from '../../../protocol/machine/config.js'
import type { Effect, LinkId } from '../../../protocol/machine/machine.js'
import { CLIENT_REQUESTS, isClientRequest } from '../../../protocol/messages/catalogue.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { ERRORS } from '../../../protocol/errors.js'
import { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import { EXAMPLES } from '../../generate-messages.js'
import { readKey, seal } from '../../simulator/compute.js'

const LINK = 1 as LinkId
const NOW = { monotonic: 0, wall: 0 }

/** Effects of a request at a replica without peers, on a connection without a log-in. */
function answersTo(message: Message): Effect[] {
  const replica = new ProcessingReplica({
    ...{
      clusterId: 'c',
      historyId: 'first',
      boot: 'b',
      self: 1,
      slots: 1,
      stores: 1,
      timings: TIMINGS,
    },
    ...{ limits: LIMITS, registration: 'open', seal, readKey },
    entropy: (bytes) => new Uint8Array(bytes),
  })
  const peer = { role: 'client', address: '127.0.0.1:5' } as const
  replica.step({ type: 'link-up', link: LINK, peer }, NOW)
  return replica.step({ type: 'message', link: LINK, message }, NOW)
}

for (const message of EXAMPLES.filter(isClientRequest)) {
  const login = CLIENT_REQUESTS.get(message.type)
  t.test(`${message.type}: log-in ${login}`, async (t) => {
    const refusals = answersTo(message).flatMap((effect) =>
      effect.type === 'send' && effect.message.type === 'ERROR' ? [effect.message] : [],
    )
    const notLoggedIn = refusals.some(({ code }) => code === ERRORS.NOT_LOGGED_IN.code)
    t.equal(notLoggedIn, login === 'required')
    t.ok(refusals.every(({ request }) => request === message.request))
  })
}

t.test('a message that is no request ends the connection', async (t) => {
  const [refusal, close] = answersTo({ type: 'RECEIPT', request: 1, seq: 1, index: 1, time: 1 })
  t.match(refusal, { type: 'send', message: { code: ERRORS.BAD_STATE.code } })
  t.match(close, { type: 'close' })
})
