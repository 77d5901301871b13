// Two accounts whose keys never leave this machine: no server can read what passes between them.
//
//   node examples/end-to-end.mjs

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { KeyFolder } from 'troca'
import { enter, folder } from './cluster.mjs'

/** Each has a folder of its own, as on two machines. @param {string} name */
async function enterHeld(name) {
  const keys = join(folder, 'examples', name)
  mkdirSync(keys, { recursive: true })
  return enter(name, { endToEnd: true, keyStore: new KeyFolder(keys) })
}

const [eva, femi] = [await enterHeld('eva'), await enterHeld('femi')]

// The keys of others are believed at first sight; people compare fingerprints to be sure.
eva.events.on('keys', ({ name, what, fingerprint }) => {
  console.log(`eva sees the keys of ${name} (${what}): ${fingerprint}`)
})
console.log(`femi reads out: ${femi.account?.fingerprint}`)

// `endToEnd`: better not sent than sent so that the service can read it.
const { index, endToEnd } = await eva.send('femi', 'só para ti', { endToEnd: true })
console.log(`stored at ${index}; end to end: ${endToEnd}`)

const after = index - 1
const [message] = (await femi.inbox({ after })).messages
console.log(`${message?.from}: ${message?.text}`)

// All that a server has of it: the header says how it is sealed, the rest says nothing.
const [sealed] = (await femi.envelopes({ after })).messages
const [header = '', , , ciphertext = ''] = sealed?.jwe.split('.') ?? []
console.log('header:', Buffer.from(header, 'base64url').toString())
console.log('ciphertext:', ciphertext)

await Promise.all([eva.close(), femi.close()])
