// The versions of the program that runs.

import { readFileSync } from 'node:fs'
import { WIRE_VERSION } from '../../protocol/schema/shared.js'

/** From dist/daemons/observe/ back to the package. */
const PACKAGE = new URL('../../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }

export const VERSIONS = { version, wire: `${WIRE_VERSION}`, node: process.versions.node }
