// Two accounts whose keys never leave this machine: no server can read their messages.
//
//   node examples/end-to-end.mjs

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { KeyFolder } from 'troca'
import { enter, folder } from './cluster.mjs'

/** Each account has a key folder of its own, as on two machines. @param {string} name */
async function enterHeld(name) {
  const keys = join(folder, 'examples', name)
  mkdirSync(keys, { recursive: true })
  return enter(name, { endToEnd: true, keyStore: new KeyFolder(keys) })
}

const [eva, femi] = [await enterHeld('eva'), await enterHeld('femi')]

// A contact's keys are trusted at first sight; people compare fingerprints to be sure.
eva.events.on('keys', ({ name, what, fingerprint }) => {
  console.log(`eva sees the keys of ${name} (${what}): ${fingerprint}`)
})
console.log(`femi reads out: ${femi.account?.fingerprint}`)

// `endToEnd`: the send rejects if the service could read the message.
const { index, endToEnd } = await eva.send('femi', 'só para ti', { endToEnd: true })
console.log(`stored at ${index}; end to end: ${endToEnd}`)

const after = index - 1
const [message] = (await femi.inbox({ after })).messages
console.log(`${message?.from}: ${message?.text}`)

// The message as a server has it: a readable header, and ciphertext.
const [sealed] = (await femi.envelopes({ after })).messages
const [header = '', , , ciphertext = ''] = sealed?.jwe.split('.') ?? []
console.log('header:', Buffer.from(header, 'base64url').toString())
console.log('ciphertext:', ciphertext)

await Promise.all([eva.close(), femi.close()])
