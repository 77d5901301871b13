import t from 'tap'
import { isProbablyPrime } from '../../../protocol/rsa/primes.js'
import { oaepDecrypt } from '../../../protocol/rsa/oaep.js'
import { privateKeyFromJwk, publicKeyFromJwk } from '../../../protocol/rsa/jwk.js'
import { decodePkcs8, decodeSpki } from '../../../protocol/rsa/formats.js'
import { pssVerify } from '../../../protocol/rsa/pss.js'
import { RsaError } from '../../../protocol/rsa/rsa-error.js'
import { entropy, fromHex, wycheproof } from './fixtures.js'

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface OaepGroup {
  readonly privateKeyPkcs8: string
  readonly privateKeyJwk?: object
  readonly tests: readonly (Vector & { msg: string; ct: string; label: string })[]
}
interface PssGroup {
  readonly publicKeyDer: string
  readonly publicKeyJwk?: object
  readonly sLen: number
  readonly tests: readonly (Vector & { msg: string; sig: string })[]
}
interface PrimeGroup {
  readonly tests: readonly (Vector & { value: string })[]
}

const ABSENT = 'the vectors are not beside the repository'

for (const bits of [2048, 3072]) {
  const name = `rsa_oaep_${bits}_sha256_mgf1sha256_test.json`
  const file = wycheproof<OaepGroup>(name)
  t.test(name, { skip: file ? false : ABSENT }, (t) => {
    let count = 0
    for (const group of file?.testGroups ?? []) {
      const key = decodePkcs8(fromHex(group.privateKeyPkcs8), entropy, { rounds: 2 })
      if (group.privateKeyJwk) {
        t.same(privateKeyFromJwk(group.privateKeyJwk, entropy, { rounds: 1 }), key)
      }
      for (const { tcId, comment, result, msg, ct, label } of group.tests) {
        count++
        const open = (): Uint8Array =>
          oaepDecrypt(key, fromHex(ct), entropy, { label: fromHex(label) })
        const what = `${tcId} ${comment} is ${result}`
        if (result === 'valid') t.same(Buffer.from(open()).toString('hex'), msg, what)
        else t.throws(open, new RsaError('decryption', 'decryption error'), what)
      }
    }
    t.equal(count, file?.numberOfTests, 'every vector ran')
    t.end()
  })
}

for (const bits of [2048, 3072]) {
  const name = `rsa_pss_${bits}_sha256_mgf1_32_test.json`
  const file = wycheproof<PssGroup>(name)
  t.test(name, { skip: file ? false : ABSENT }, (t) => {
    let count = 0
    for (const group of file?.testGroups ?? []) {
      const key = decodeSpki(fromHex(group.publicKeyDer))
      if (group.publicKeyJwk) t.same(publicKeyFromJwk(group.publicKeyJwk), key)
      for (const { tcId, comment, result, msg, sig } of group.tests) {
        count++
        const verified = pssVerify(key, fromHex(msg), fromHex(sig), { saltLength: group.sLen })
        t.equal(verified, result === 'valid', `${tcId} ${comment} is ${result}`)
      }
    }
    t.equal(count, file?.numberOfTests, 'every vector ran')
    t.end()
  })
}

const primality = wycheproof<PrimeGroup>('primality_test.json')
t.test('primality_test.json', { skip: primality ? false : ABSENT }, (t) => {
  let count = 0
  for (const { tests } of primality?.testGroups ?? []) {
    for (const { tcId, comment, result, value } of tests) {
      count++
      // The file has negative numbers in two's complement.
      const x = BigInt.asIntN(value.length * 4, BigInt(`0x${value}`))
      const prime = isProbablyPrime(x, 20, entropy)
      if (result === 'acceptable') t.pass(`${tcId} ${comment} may be either`)
      else t.equal(prime, result === 'valid', `${tcId} ${comment} is ${result}`)
    }
  }
  t.equal(count, primality?.numberOfTests, 'every vector ran')
  t.end()
})
