// What is generated from the catalogue is checked in as it is: a change of the wire is a change of
// these files, seen in review.

import t from 'tap'
import * as generate from '../../generate-messages.js'
import { withRequests } from '../../generate-requests.js'

const hint = 'run: npm run generate'

t.test('golden frames are those of the catalogue', async (t) => {
  t.equal(generate.checkedIn(generate.GOLDEN_FILE), generate.goldenFrames(), hint)
})

t.test('docs/MESSAGES.md is that of the catalogue', async (t) => {
  t.equal(generate.checkedIn(generate.DOCS_FILE), generate.messagesDocument(), hint)
})

t.test('the requests in docs/PROTOCOL.md are those of the catalogue', async (t) => {
  const document = generate.checkedIn(generate.PROTOCOL_FILE)
  t.equal(document, withRequests(document), hint)
})
