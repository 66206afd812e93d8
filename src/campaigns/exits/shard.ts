/**
 * Shards: which process of several tests which relay.
 *
 * A relay belongs to shard (first 8 octets of SHA-256 over its fingerprint's text, as a number) mod M, so that anybody
 * can compute it and no shard depends on the order or number of relays.
 *
 * **Sources**: docs/formats/exits.md
 */
import { assert } from '../../core/assert.ts'
import { ConfigError } from '../../core/config-error.ts'

/** More machines than this no scan of some thousand exits needs. */
const SHARDS_MAX = 1024

/** One part of a run. */
export interface Shard {
  /** 0 to `count` − 1. */
  readonly index: number
  readonly count: number
}

/** The whole run. */
export const WHOLE: Shard = { index: 0, count: 1 }

/**
 * Parses `N/M`.
 *
 * @throws {ConfigError} When it is not of this form, or N is not 0 to M − 1.
 */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text)
  if (match === null) {
    throw new ConfigError('--shard', `--shard ${JSON.stringify(text)} is not of the form N/M`, '--shard 0/3')
  }
  const [index, count] = [Number(match[1]), Number(match[2])]
  if (count < 1 || count > SHARDS_MAX) {
    throw new ConfigError('--shard', `--shard ${text}: M is ${count}, outside 1 to ${SHARDS_MAX}`, '--shard 0/3')
  }
  if (index >= count) {
    const names = count === 1 ? '0/1' : count === 2 ? '0/2 and 1/2' : `0/${count} to ${count - 1}/${count}`
    throw new ConfigError(
      '--shard',
      `--shard ${text} does not exist: shards are counted from 0, those of ${count} are ${names}`,
      `--shard ${count - 1}/${count}`,
    )
  }
  return { index, count }
}

/** Formats a shard as in records, `0/3`. */
export function formatShard(shard: Shard): string {
  return `${shard.index}/${shard.count}`
}

/** @returns The part of a file name, `_shard-0-of-3`; empty for the whole. */
export function formatShardForFile(shard: Shard): string {
  return shard.count === 1 ? '' : `_shard-${shard.index}-of-${shard.count}`
}

/**
 * Computes the shard that a relay belongs to.
 *
 * @param fingerprint - 40 hexadecimal digits; hashed in upper case.
 * @returns 0 to `count` − 1.
 */
export async function shardOf(fingerprint: string, count: number): Promise<number> {
  assert(Number.isInteger(count) && count > 0, 'shardOf needs a positive number of shards')
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(fingerprint.toUpperCase()))
  return Number(new DataView(digest).getBigUint64(0) % BigInt(count))
}

/** @returns The SHA-256 over the sorted fingerprints (upper case, a line feed between two), hex: shards of one run agree on it. */
export async function hashCandidates(fingerprints: Iterable<string>): Promise<string> {
  const text = [...fingerprints]
    .map((fingerprint) => fingerprint.toUpperCase())
    .toSorted()
    .join('\n')
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((octet) => octet.toString(16).padStart(2, '0')).join('')
}
