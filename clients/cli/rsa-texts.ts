// Texts of `troca rsa` and of key files. In English and Portuguese.

import { sayIn } from './texts.js'

const TEXTS = {
  rsaMade: [
    '{bits} bits, thumbprint {thumbprint}: {out}',
    '{bits} bits, thumbprint {thumbprint}: {out}',
  ],
  rsaSearching: [
    'searching for two primes of {bits} bits: {candidates} candidates',
    'à procura de dois primos de {bits} bits: {candidates} candidatos',
  ],
  rsaNotOpened: [
    'decryption error: the key, label or hash is not that of the encryption, or the ciphertext was changed',
    'erro ao decifrar: a chave, a etiqueta ou a função de hash é outra, ou o texto foi alterado',
  ],
  rsaTooLong: [
    'the message has {length} bytes; a key of {bits} bits encrypts at most {capacity} with {hash}. For more, encrypt a key by RSA and the message by that key',
    'a mensagem tem {length} bytes; uma chave de {bits} bits cifra no máximo {capacity} com {hash}. Para mais, cifre uma chave com RSA e a mensagem com essa chave',
  ],
  rsaValid: ['the signature is valid', 'a assinatura é válida'],
  rsaInvalid: [
    'the signature is not valid for this key, message, hash and salt length',
    'a assinatura não é válida para esta chave, mensagem, função de hash e comprimento de sal',
  ],
  rsaExists: [
    '{path} exists; a private key is not written over a file. Name another, or remove it',
    '{path} existe; uma chave privada não se escreve por cima. Indique outro, ou apague-o',
  ],
  rsaBinary: [
    'this would write binary data to the terminal; name a file with --out, or a pipe',
    'isto escreveria dados binários no terminal; indique um ficheiro com --out, ou um pipe',
  ],
} as const satisfies Record<string, readonly [en: string, pt: string]>

export function sayRsa(
  name: keyof typeof TEXTS,
  values: Record<string, string | number> = {},
): string {
  return sayIn(TEXTS, name, values)
}
