// Retention: how long messages of a mailbox are kept. A message expires when one of the bounds is
// exceeded, and stays expired. The oldest messages expire first.

import { isCount, readJson, writeJson } from './json-body.js'

/** Bounds of one mailbox; 0: off. */
export interface RetentionRule {
  /** Milliseconds from the order of a message to its expiry. */
  readonly age: number
  /** Messages that are kept at the most. */
  readonly count: number
  /** Bytes of messages, as they are stored, that are kept at the most. */
  readonly bytes: number
}

export const KEEP_ALL: RetentionRule = { age: 0, count: 0, bytes: 0 }

const lower = (a: number, b: number): number => (a === 0 || (b > 0 && b < a) ? b : a)

/** The stricter bound of both, in each respect. */
export function stricter(a: RetentionRule, b: RetentionRule): RetentionRule {
  return {
    age: lower(a.age, b.age),
    count: lower(a.count, b.count),
    bytes: lower(a.bytes, b.bytes),
  }
}

export function sameRule(a: RetentionRule, b: RetentionRule): boolean {
  return a.age === b.age && a.count === b.count && a.bytes === b.bytes
}

export function keepsAll({ age, count, bytes }: RetentionRule): boolean {
  return age + count + bytes === 0
}

export function encodeRetention({ age, count, bytes }: RetentionRule): Uint8Array {
  return writeJson([age, count, bytes])
}

/** Throws if the bytes are no rule. */
export function decodeRetention(body: Uint8Array): RetentionRule {
  const written = readJson(body)
  if (!Array.isArray(written) || written.length !== 3 || !written.every(isCount)) {
    throw new RangeError('retention body: age, count and bytes expected')
  }
  const [age, count, bytes] = written as [number, number, number]
  return { age, count, bytes }
}
