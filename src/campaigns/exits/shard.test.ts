import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../core/config-error.ts'
import { formatShard, formatShardForFile, hashCandidates, parseShard, shardOf } from './shard.ts'

describe('parseShard', () => {
  test('reads N/M', () => {
    expect(parseShard('0/1')).toEqual({ index: 0, count: 1 })
    expect(parseShard('2/3')).toEqual({ index: 2, count: 3 })
  })

  test.each([
    ['3/3', '0/3 to 2/3'],
    ['1/1', 'those of 1 are 0/1'],
    ['2/2', '0/2 and 1/2'],
    ['0/0', 'outside 1 to 1024'],
    ['0/1025', 'outside 1 to 1024'],
    ['1', 'form N/M'],
    ['-1/3', 'form N/M'],
    ['a/b', 'form N/M'],
    ['1/3/5', 'form N/M'],
  ])('refuses %j: %s', (text, why) => {
    expect(() => parseShard(text)).toThrow(ConfigError)
    expect(() => parseShard(text)).toThrow(why)
  })
})

describe('formatShard', () => {
  test('gives records N/M, and file names a part only where there is one', () => {
    expect(formatShard({ index: 1, count: 3 })).toBe('1/3')
    expect(formatShardForFile({ index: 1, count: 3 })).toBe('_shard-1-of-3')
    expect(formatShardForFile({ index: 0, count: 1 })).toBe('')
  })
})

describe('shardOf', () => {
  test('is the first 8 octets of SHA-256 mod M, as anybody can compute', async () => {
    for (let i = 0; i < 50; i++) {
      const fingerprint = createHash('sha1').update(String(i)).digest('hex').toUpperCase()
      const first = createHash('sha256').update(fingerprint).digest().readBigUInt64BE(0)
      expect(await shardOf(fingerprint, 7)).toBe(Number(first % 7n))
      expect(await shardOf(fingerprint.toLowerCase(), 7)).toBe(Number(first % 7n))
    }
  })

  test('puts each relay into exactly one of the shards, evenly', async () => {
    const counts = [0, 0, 0]
    for (let i = 0; i < 600; i++) {
      const shard = await shardOf(createHash('sha1').update(String(i)).digest('hex'), 3)
      counts[shard] = (counts[shard] ?? 0) + 1
    }
    expect(counts.reduce((a, b) => a + b)).toBe(600)
    expect(Math.min(...counts)).toBeGreaterThan(150)
  })

  test('refuses no shards', async () => {
    await expect(shardOf('AB', 0)).rejects.toThrow('positive number')
  })
})

describe('hashCandidates', () => {
  test('depends on the set, not on order or case', async () => {
    const hash = await hashCandidates(['BB', 'aa'])
    expect(hash).toBe(createHash('sha256').update('AA\nBB').digest('hex'))
    expect(await hashCandidates(['AA', 'bb'])).toBe(hash)
    expect(await hashCandidates(['AA'])).not.toBe(hash)
  })
})
