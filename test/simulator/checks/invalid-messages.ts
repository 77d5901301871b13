// An honest replica never says anything that another one rejects as invalid, whatever fails around
// it.

import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { LogFields } from '../coverage/reach.js'
import type { Check } from './check.js'

export class InvalidMessageCheck implements Check {
  logged(host: Host, event: string, fields: LogFields): void {
    expect(event !== 'invalid-message', 'invalid', () => {
      return `${host.name} rejects a message of slot ${String(fields['peer'])}: ${String(fields['reason'])}`
    })
    expect(event !== 'term-refuted', 'invalid', () => {
      return `${host.name} refutes term ${String(fields['term'])}`
    })
  }
}
