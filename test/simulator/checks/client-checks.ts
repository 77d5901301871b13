// The checks of what clients ask and hear, over one view of the committed log.

import type { Coverage } from '../coverage.js'
import type { History } from '../history.js'
import { AnswerCheck } from './answers.js'
import type { Check } from './check.js'
import { ClientCheck } from './clients.js'
import { DeliveryCheck } from './delivery.js'
import { ClientLedger } from './ledger.js'
import { LinearizableCheck } from './linearizable.js'
import { PeopleCheck } from './people.js'
import { ReceiptCheck } from './receipts.js'
import { RepeatCheck } from './repeats.js'
import { Requests } from './requests.js'

export function clientChecks(history: History, coverage: Coverage, now: () => number): Check[] {
  const ledger = new ClientLedger(history)
  const requests = new Requests(ledger)
  return [
    requests,
    new ClientCheck(ledger, requests, coverage),
    new DeliveryCheck(ledger, requests),
    new AnswerCheck(history, requests),
    new PeopleCheck(history, ledger, requests),
    new RepeatCheck(history, ledger),
    new ReceiptCheck(ledger, requests),
    new LinearizableCheck(coverage, now),
  ]
}
