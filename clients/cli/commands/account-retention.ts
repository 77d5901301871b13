// troca account retention: how long messages of the own mailbox are kept; shows it, or sets it.

import type { Argv, CommandModule } from 'yargs'
import {
  AGE_FORM,
  SIZE_FORM,
  formatAge,
  formatSize,
  parseAge,
  parseSize,
} from '../../../protocol/quantities.js'
import { stricter } from '../../../protocol/entries/retention.js'
import type { RetentionRule } from '../../mailbox.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { EXIT, Failure } from '../failure.js'
import { note, result, resultJson } from '../output.js'
import { stepMs, withClient } from '../run.js'
import { say } from '../texts.js'

interface Flags extends GlobalFlags {
  age?: string | undefined
  count?: number | undefined
  bytes?: string | undefined
  off: boolean
}

function quantity(
  name: string,
  text: string | undefined,
  parse: (text: string) => number | null,
  form: string,
): number {
  if (text === undefined) return 0
  const value = parse(text)
  if (value === null) throw new Failure(EXIT.usage, `--${name} is ${text}; needed: ${form}`)
  return value
}

/** The rule that the flags name; null: they name none. */
function ruleOf({ age, count, bytes, off }: Flags): RetentionRule | null {
  const named = age !== undefined || count !== undefined || bytes !== undefined
  if (off && named) throw new Failure(EXIT.usage, '--off goes with no other bound; leave one out')
  if (!off && !named) return null
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    throw new Failure(EXIT.usage, '--count: a whole number above 0')
  return {
    age: quantity('age', age, parseAge, AGE_FORM),
    count: count ?? 0,
    bytes: quantity('bytes', bytes, parseSize, SIZE_FORM),
  }
}

function sayRule({ age, count, bytes }: RetentionRule): string {
  const bounds = [
    ...(age > 0 ? [say('retentionAge', { age: formatAge(age) })] : []),
    ...(count > 0 ? [say('retentionCount', { count })] : []),
    ...(bytes > 0 ? [say('retentionBytes', { bytes: formatSize(bytes) })] : []),
  ]
  return bounds.length > 0 ? bounds.join(', ') : say('retentionAll')
}

export const accountRetention: CommandModule<GlobalFlags, Flags> = {
  command: 'retention',
  describe: 'how long messages of the own mailbox are kept; with bounds, sets them',
  builder: (yargs: Argv<GlobalFlags>) =>
    yargs
      .option('age', { type: 'string', describe: 'erase older messages: 30d, 12h, 90m' })
      .option('count', { type: 'number', describe: 'keep so many messages, the newest' })
      .option('bytes', { type: 'string', describe: 'keep so much, the newest: 5MB' })
      .option('off', { type: 'boolean', default: false, describe: 'no bounds of my own' }),
  async handler(flags) {
    const context = new Context(flags)
    const rule = ruleOf(flags)
    const options = { timeoutMs: stepMs(context) }
    const { own, cluster } = await withClient(context, { login: true }, (client) =>
      rule ? client.retain(rule, options) : client.retention(options),
    )
    const inForce = stricter(own, cluster)
    if (context.json) return resultJson({ own, cluster, inForce })
    result(say('retentionIs', { name: context.user, rule: sayRule(inForce) }))
    note(say('retentionBoth', { own: sayRule(own), cluster: sayRule(cluster) }))
  },
}
