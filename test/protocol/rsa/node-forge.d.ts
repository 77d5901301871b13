// Types of the functions of node-forge that the benchmark calls.
declare module 'node-forge' {
  interface PublicKey {
    encrypt(data: string, scheme: 'RAW'): string
  }
  interface PrivateKey {
    readonly n: unknown
    readonly e: unknown
    decrypt(data: string, scheme: 'RAW'): string
  }
  const forge: {
    readonly pki: {
      privateKeyFromPem(pem: string): PrivateKey
      setRsaPublicKey(n: unknown, e: unknown): PublicKey
    }
  }
  export default forge
}
