// Bodies that execution reads are JSON: such entries are few, and people can read them.

export function writeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** Throws SyntaxError if the bytes are no JSON. */
export function readJson(body: Uint8Array): unknown {
  return JSON.parse(Buffer.from(body).toString('utf8'))
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

export function fromBase64url(text: string): Uint8Array {
  return Buffer.from(text, 'base64url')
}
