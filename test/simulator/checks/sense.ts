// What an honest replica says makes sense to the others, whatever has broken around it.

import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { LogFields } from '../coverage/reach.js'
import type { Check } from './check.js'

export class SenseCheck implements Check {
  logged(host: Host, event: string, fields: LogFields): void {
    expect(event !== 'invalid-message', 'sense', () => {
      return `${host.name} hears nonsense of slot ${String(fields['peer'])}: ${String(fields['reason'])}`
    })
    expect(event !== 'term-refuted', 'sense', () => {
      return `${host.name} takes term ${String(fields['term'])} for one that never was`
    })
  }
}
