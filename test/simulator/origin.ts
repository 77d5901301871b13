// The log of every simulated cluster.

import { FIRST_HISTORY } from '../../protocol/entries/origin.js'

export const ORIGIN = { clusterId: 'simulated', historyId: FIRST_HISTORY }
