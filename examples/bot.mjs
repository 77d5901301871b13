// A bot that answers each message: `time`, `status`, or the text in capitals. Ctrl-C ends the bot.
//
//   node examples/bot.mjs                    # and elsewhere: npx troca send robo time
//
// The bot acknowledges a message once its answer is stored. If the bot dies in between, it answers
// the message again after its restart; every message gets an answer.

import { TrocaError } from 'troca'
import { enter } from './cluster.mjs'

const client = await enter('robo')
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

/** @param {string} text */
async function answerTo(text) {
  if (text === 'time') return new Date().toISOString()
  if (text === 'status') {
    const { replicas } = await client.status()
    const up = replicas.filter(({ reachable }) => reachable)
    return `${up.length} of ${replicas.length} replicas are up`
  }
  return text.toUpperCase()
}

console.log(`${client.user} listens`)
for await (const message of client.messages({ signal: stop.signal })) {
  try {
    const { from, text } = message
    await client.send(from, await answerTo(text ?? ''))
    console.log(`answered ${from}: ${text}`)
  } catch (error) {
    // A sender that has blocked the bot, or was deleted, gets no answer. Other errors end the bot.
    if (!(error instanceof TrocaError) || !error.definite || error.retriable) throw error
    console.log(`no answer to ${message.from}: ${error.message}`)
  }
  message.ack()
}
await client.close()
console.log('stopped')
