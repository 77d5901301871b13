// The checks of what clients ask and are told. They share one view of the committed log.

import type { Coverage } from '../coverage.js'
import type { Setting } from '../setting.js'
import type { History } from '../history.js'
import type { Host } from '../host.js'
import { AnswerCheck } from './answers.js'
import type { Check } from './check.js'
import { ClientCheck } from './clients.js'
import { Commands } from './commands.js'
import { DeliveryCheck } from './delivery.js'
import { ClientLedger } from './ledger.js'
import { LinearizableCheck } from './linearizable.js'
import { DirectoryCheck } from './directory.js'
import { ReceiptCheck } from './receipts.js'
import { RetentionCheck } from './retention.js'
import { StreamCheck } from './streams.js'
import { checkKeptAnswers } from './kept-answers.js'
import { Requests } from './requests.js'

export function clientChecks(
  history: History,
  coverage: Coverage,
  { processing, setting }: { processing: readonly Host[]; setting: Setting },
  now: () => number,
): Check[] {
  const ledger = new ClientLedger(history)
  const requests = new Requests(ledger)
  const commands = new Commands()
  checkKeptAnswers(history, ledger, commands)
  return [
    requests,
    commands,
    new ClientCheck(ledger, requests, coverage),
    new StreamCheck(history, ledger, requests, commands, coverage, processing),
    new DeliveryCheck(ledger, requests),
    new AnswerCheck(history, requests, commands),
    new DirectoryCheck(history, ledger, requests, commands),
    new ReceiptCheck(ledger, requests),
    new LinearizableCheck(history, coverage, now),
    new RetentionCheck(history, setting, requests, coverage, now),
  ]
}
