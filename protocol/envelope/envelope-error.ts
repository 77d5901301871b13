// The one error of an envelope that does not open. Key, padding, tag, header, place: it never says
// which, and it is raised after the same work.

export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError'

  constructor() {
    super('the envelope does not open')
  }
}
