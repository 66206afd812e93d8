import { describe, expect, test } from 'vitest'
import { createSeededRandom } from '../../core/random.ts'
import { encodeMessage } from '../../dns/encode-message.ts'
import type { DnsMessage, ResourceRecord } from '../../dns/message.ts'
import { parseName, type Name } from '../../dns/name.ts'
import { BulkSlots } from './bulk-slots.ts'
import { JsonRecords } from './json-records.ts'
import { NameReader } from './name-reader.ts'

const SLOT = 7

/** What the tests look at. */
interface WrittenRecord {
  readonly name: string
  readonly status: string
  readonly data: { readonly answers: readonly { readonly name: string; readonly data: string }[] }
}

function name(text: string): Name {
  return parseName(text) ?? []
}

function record(owner: string, type: number, rdata: ResourceRecord['rdata']): ResourceRecord {
  return { name: name(owner), type, class: 1, ttl: 300, rdata }
}

/** A slot that asks `line`, and the response with the given records. */
function ask(line: string, answers: readonly ResourceRecord[], changes: Partial<DnsMessage> = {}) {
  const slots = new BulkSlots(createSeededRandom('seed'))
  const octets = new TextEncoder().encode(line)
  const reader = new NameReader(
    {
      read: (into, at) => {
        into.set(octets, at)
        return octets.length
      },
    },
    {
      types: [1],
      bufferOctets: 0,
      wantsRecursion: true,
      wantsDnssec: false,
      findResolver: () => -1,
      onMalformed: () => {},
      resumeAt: 0,
      unfinished: new Float64Array(0),
    },
  )
  reader.next(slots, SLOT)
  slots.tries[SLOT] = 2
  slots.sentAtMs[SLOT] = 1000
  const [owner = '', type = 'A'] = line.trim().split(' ')
  const header = {
    id: SLOT,
    response: true,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    reserved: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
  }
  const message = encodeMessage({
    header,
    questions: [{ name: name(owner), type: type === 'A' ? 1 : 16, class: 1 }],
    answers,
    authorities: [],
    additionals: [],
    edns: undefined,
    ...changes,
  })
  return {
    slots,
    message,
    writer: new JsonRecords([{ address: '192.0.2.1', port: 53, isPaced: true }], 1_700_000_000_000),
  }
}

function write(line: string, answers: readonly ResourceRecord[], changes: Partial<DnsMessage> = {}) {
  const { slots, message, writer } = ask(line, answers, changes)
  const rcode = writer.answered(slots, SLOT, message, 0, message.length, 1012.3456, 'UDP')
  const text = new TextDecoder().decode(writer.text.octets.subarray(0, writer.text.length))
  return { rcode, text, value: JSON.parse(text) as WrittenRecord }
}

describe('JsonRecords', () => {
  test('writes the fields of massdns in their order, and our own behind them', () => {
    const { text } = write('www.example A\n', [record('www.example', 1, { kind: 'a', address: '192.0.2.7' })])
    expect(text).toBe(
      '{"name":"www.example.","type":"A","class":"IN","status":"NOERROR","rx_ts":1700000001012345000,' +
        '"data":{"answers":[{"ttl":300,"type":"A","class":"IN","name":"www.example.","data":"192.0.2.7"}]},' +
        '"flags":["rd","ra"],"resolver":"192.0.2.1:53","proto":"UDP","latency_ms":12.346,"tries":2}\n',
    )
  })
  test('writes addresses of the name the same, whatever stands behind them', () => {
    const addresses = [
      record('a.example', 1, { kind: 'a', address: '192.0.2.7' }),
      record('a.example', 1, { kind: 'a', address: '10.0.200.255' }),
    ]
    const alone = write('a.example A\n', addresses).value
    const behind = record('ns.example', 1, { kind: 'a', address: '192.0.2.53' })
    const edns = { udpSize: 1232, extendedRcode: 0, version: 0, dnssecOk: false, reservedFlags: 0, options: [] }
    expect(alone.data.answers.map(({ name: owner, data }) => `${owner} ${data}`)).toEqual([
      'a.example. 192.0.2.7',
      'a.example. 10.0.200.255',
    ])
    expect(write('a.example A\n', addresses, { edns }).value.data).toEqual(alone.data)
    expect(write('a.example A\n', addresses, { additionals: [behind] }).value.data).toEqual({
      ...alone.data,
      additionals: [{ ttl: 300, type: 'A', class: 'IN', name: 'ns.example.', data: '192.0.2.53' }],
    })
    expect(write('a.example A\n', [...addresses, behind]).value.data.answers.slice(0, 2)).toEqual(alone.data.answers)
  })
  test('writes common types from their octets as the codec would', () => {
    const { value } = write('a.example A\n', [
      record('a.example', 5, { kind: 'cname', name: name('b.example') }),
      record('b.example', 28, { kind: 'aaaa', address: '2001:db8::1' }),
      record('b.example', 15, { kind: 'mx', preference: 10, exchange: name('mail.example') }),
    ])
    expect(value.data.answers.map(({ data }) => data)).toEqual(['b.example.', '2001:db8::1', '10 mail.example.'])
  })
  test('writes other types through the codec', () => {
    const { value } = write('a.example TXT\n', [
      record('a.example', 16, { kind: 'txt', strings: [new TextEncoder().encode('say "x"')] }),
    ])
    expect(value.data.answers[0]?.data).toBe(String.raw`"say \"x\""`)
  })
  test('escapes names so that they are JSON, the same on both ways', () => {
    const owner = String.raw`a\.b\032\"\\x.example`
    const fast = write(`${owner} A\n`, [record(owner, 1, { kind: 'a', address: '192.0.2.7' })])
    const slow = write(`${owner} TXT\n`, [record(owner, 16, { kind: 'txt', strings: [new Uint8Array(1)] })])
    expect(fast.value.name).toBe(`${owner}.`)
    expect(slow.value.data.answers[0]?.name).toBe(`${owner}.`)
  })
  test('takes the upper bits of the RCODE from OPT, which is no data', () => {
    const edns = { udpSize: 1232, extendedRcode: 1, version: 0, dnssecOk: false, reservedFlags: 0, options: [] }
    const { rcode, value } = write('a.example A\n', [], { edns })
    expect(rcode).toBe(16)
    expect(value).toMatchObject({ status: 'BADVERS', data: {} })
  })
  test('leaves nothing behind of a message that is not whole', () => {
    const { slots, message, writer } = ask('a.example A\n', [
      record('a.example', 1, { kind: 'a', address: '192.0.2.7' }),
    ])
    for (let size = message.length - 1; size >= 27; size--)
      expect(writer.answered(slots, SLOT, message, 0, size, 1001, 'UDP')).toBe(-1)
    const loop = message.slice()
    // The owner of the record points to itself.
    loop[27] = 0xc0
    loop[28] = 27
    expect(writer.answered(slots, SLOT, loop, 0, loop.length, 1001, 'UDP')).toBe(-1)
    expect(writer.text.length).toBe(0)
  })
  test('writes what nobody answered', () => {
    const { slots, writer } = ask('a.example A\n', [])
    writer.unanswered(slots, SLOT, 5000)
    const value = JSON.parse(new TextDecoder().decode(writer.text.octets.subarray(0, writer.text.length))) as unknown
    expect(value).toMatchObject({ name: 'a.example.', status: 'TIMEOUT', data: {}, latency_ms: null, tries: 2 })
  })
})
