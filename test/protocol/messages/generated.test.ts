// Files generated from the catalogue are checked in: a change of the wire changes them, which shows
// in review.

import t from 'tap'
import * as generate from '../../generate-messages.js'
import { withRequests } from '../../generate-requests.js'

const hint = 'run: npm run generate'

t.test('the golden frames match the catalogue', async (t) => {
  t.equal(generate.checkedIn(generate.GOLDEN_FILE), generate.goldenFrames(), hint)
})

t.test('docs/MESSAGES.md matches the catalogue', async (t) => {
  t.equal(generate.checkedIn(generate.DOCS_FILE), generate.messagesDocument(), hint)
})

t.test('the requests in docs/PROTOCOL.md match the catalogue', async (t) => {
  const document = generate.checkedIn(generate.PROTOCOL_FILE)
  t.equal(document, withRequests(document), hint)
})
