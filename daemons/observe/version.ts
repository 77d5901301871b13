// The version of this package.

import { readFileSync } from 'node:fs'

/** From dist/daemons/observe/ back to the package. */
const PACKAGE = new URL('../../../package.json', import.meta.url)
export const { version: VERSION } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }
