/**
 * Real output of massdns: our records of the same answers have its fields, in its order, with its values.
 *
 * `massdns-output/README.md` tells where it comes from.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createSeededRandom } from '../../src/core/random.ts'
import { BulkSlots } from '../../src/measure/bulk/bulk-slots.ts'
import { JsonRecords } from '../../src/measure/bulk/json-records.ts'
import { NameReader } from '../../src/measure/bulk/name-reader.ts'

interface MassdnsRecord {
  readonly name: string
  readonly type: string
  readonly class: string
  readonly status: string
  readonly resolver: string
}

const SLOT = 3
const FILE = new URL('massdns-output/records.jsonl', import.meta.url)

const cases = readFileSync(FILE, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly message: string | null; readonly line: string })
  .map(({ message, line }) => ({ message, line, record: JSON.parse(line) as MassdnsRecord }))

/** The record that a bulk run writes for the same question and answer; without a message, for none. */
function writeOurs({ name, type, resolver }: MassdnsRecord, message: string | null): string {
  const [address = '', port = ''] = (resolver ?? '192.0.2.1:53').split(':')
  const input = new TextEncoder().encode(`${name} ${type}\n`)
  const read = (into: Uint8Array, at: number): number => {
    into.set(input, at)
    return input.length
  }
  const slots = new BulkSlots(createSeededRandom('seed'))
  const reader = new NameReader(
    { read },
    {
      types: [],
      bufferOctets: 1232,
      wantsRecursion: true,
      wantsDnssec: false,
      findResolver: () => -1,
      onMalformed: () => {},
      resumeAt: 0,
      unfinished: new Float64Array(0),
    },
  )
  reader.next(slots, SLOT)
  slots.tries[SLOT] = 1
  const writer = new JsonRecords([{ address, port: Number(port), isPaced: false }], 1_795_000_000_000)
  if (message === null) {
    writer.unanswered(slots, SLOT, 8)
  } else {
    const octets = Uint8Array.from(message.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
    if (!slots.hasQuestion(SLOT, octets, 0, octets.length)) throw new Error(`${name} was asked otherwise`)
    writer.answered(slots, SLOT, octets, 0, octets.length, 8, 'UDP')
  }
  return new TextDecoder().decode(writer.text.octets.subarray(0, writer.text.length))
}

/** Data of ours as massdns writes it: text of TXT records joined and without quotes, escapes as `\xHH`. */
function inItsWords(type: string, data: string): string {
  if (type !== 'TXT') return data.replaceAll(String.raw`\.`, String.raw`\x2e`)
  const strings = [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text)
  return strings.join('').replaceAll(/\\(.)/g, (_, octet: string) => (octet === '\\' ? String.raw`\x5c` : octet))
}

/** The line again, with the values that differ between two runs or two programs made the same. */
function rewrite(line: string, dataOf: (type: string, data: string) => string): string {
  return JSON.stringify(JSON.parse(line), function (this: { readonly type?: string }, key, value: unknown) {
    if (key === 'rx_ts') return 0
    return key === 'data' && typeof value === 'string' ? dataOf(this.type ?? '', value) : value
  })
}

describe('JsonRecords', () => {
  test.each(cases.filter(({ message }) => message !== null))(
    'writes what massdns writes for $record.name $record.type',
    ({ message, line, record }) => {
      const ours = writeOurs(record, message)
      for (const text of [ours, line]) expect(text).toMatch(/"rx_ts":\d{19},/)
      const [, shared = '', own = ''] = /^(.*),("latency_ms":.*)\n$/.exec(ours) ?? []
      expect(rewrite(`${shared}}`, inItsWords)).toBe(rewrite(line, (_, data) => data))
      expect(JSON.parse(`{${own}`)).toEqual({ latency_ms: 8, tries: 1 })
    },
  )
  test('names, types and classes what nobody answered as massdns does, with a status where it has an error', () => {
    for (const { line, record } of cases.filter(({ message }) => message === null)) {
      const { error, ...shared } = JSON.parse(line) as { readonly error: string }
      expect(JSON.parse(writeOurs(record, null))).toMatchObject({ ...shared, status: error })
    }
  })
})
