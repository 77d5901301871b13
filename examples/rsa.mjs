// RSA alone: keys, encryption and signatures, without any cluster.
//
//   node examples/rsa.mjs

import { randomBytes } from 'node:crypto'
import {
  RsaError,
  generateKey,
  hashLength,
  oaepCapacity,
  oaepDecrypt,
  oaepEncrypt,
  privateKeyFromEncryptedPem,
  privateKeyToEncryptedPem,
  pssSign,
  pssVerify,
  publicKeyFromPem,
  publicKeyToPem,
  thumbprint,
} from 'troca/rsa'

// Making a key of 3072 bits takes seconds; 2048 bits is the minimum.
const key = generateKey(2048, randomBytes)
console.log(`key of ${key.bits} bits, thumbprint of ${thumbprint(key).length} characters`)

// The public key as others get it, and what fits into one ciphertext.
const pem = publicKeyToPem(key)
const recipient = publicKeyFromPem(pem)
console.log(`${pem.split('\n')[0]} up to ${oaepCapacity(recipient)} bytes`)

// The seed is fresh for each message: the same seed gives the same ciphertext.
const seed = randomBytes(hashLength('sha256'))
const ciphertext = oaepEncrypt(recipient, Buffer.from('olá'), seed)
console.log(`decrypted: ${Buffer.from(oaepDecrypt(key, ciphertext, randomBytes)).toString()}`)

// A ciphertext that does not open gives one error, which does not say why.
ciphertext[0] = (ciphertext[0] ?? 0) ^ 1
try {
  oaepDecrypt(key, ciphertext, randomBytes)
} catch (error) {
  if (error instanceof RsaError) console.log(`changed by a bit: ${error.code}`)
}

const signature = pssSign(key, Buffer.from('olá'), randomBytes)
console.log(`signed: ${pssVerify(recipient, Buffer.from('olá'), signature)}`)
console.log(`something else: ${pssVerify(recipient, Buffer.from('adeus'), signature)}`)

// PKCS#8 under a passphrase, as `openssl pkey -aes256` writes and reads it.
const sealed = privateKeyToEncryptedPem(key, 'correct horse', randomBytes)
const again = privateKeyFromEncryptedPem(sealed, 'correct horse', randomBytes)
console.log(`${sealed.split('\n')[0]} holds the same key: ${again.d === key.d}`)
