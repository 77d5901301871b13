// The one error of an envelope that does not open. Whether key, padding, tag, header or place is
// wrong, the error and the work before it are the same, so that neither is an oracle.

export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError'

  constructor() {
    super('the envelope does not open')
  }
}
