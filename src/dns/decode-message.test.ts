/** Decoding: frames that break, content that does not fit, octets that mean harm. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from './decode-message.ts'
import { encodeMessage } from './encode-message.ts'
import { type DnsMessage, fullRcode } from './message.ts'
import { formatName } from './name.ts'
import type { Rdata } from './rdata.ts'

/** Header with these counts, then the rest. */
function octets(counts: readonly [number, number, number, number], hex: string): Uint8Array {
  const head = `1234 8180 ${counts.map((count) => count.toString(16).padStart(4, '0')).join('')}`
  return Uint8Array.from(Buffer.from((head + hex).replaceAll(' ', ''), 'hex'))
}

function message(of: Uint8Array): DnsMessage {
  const decoded = decodeMessage(of)
  if (decoded.kind === 'malformed') throw new Error(`malformed at ${decoded.offset}: ${decoded.reason}`)
  return decoded.message
}

/** The content of one answer for the root in class IN. */
function rdata(type: number, hex: string, rrClass = '0001'): Rdata | undefined {
  const size = hex.replaceAll(' ', '').length / 2
  const [typeHex, sizeHex] = [type, size].map((number) => number.toString(16).padStart(4, '0'))
  return message(octets([0, 1, 0, 0], `00 ${typeHex} ${rrClass} 00000e10 ${sizeHex} ${hex}`)).answers[0]?.rdata
}

describe('decodeMessage', () => {
  test('reads every bit of the header', () => {
    const header = (flags: number) =>
      message(Uint8Array.of(0xab, 0xcd, flags >> 8, flags & 0xff, 0, 0, 0, 0, 0, 0, 0, 0)).header
    const off = {
      id: 0xabcd,
      response: false,
      opcode: 0,
      authoritative: false,
      truncated: false,
      recursionDesired: false,
      recursionAvailable: false,
      reserved: false,
      authenticData: false,
      checkingDisabled: false,
      rcode: 0,
    }
    expect(header(0)).toEqual(off)
    expect(header(0x8000)).toEqual({ ...off, response: true })
    expect(header(0x7800)).toEqual({ ...off, opcode: 15 })
    expect(header(0x0400)).toEqual({ ...off, authoritative: true })
    expect(header(0x0200)).toEqual({ ...off, truncated: true })
    expect(header(0x0100)).toEqual({ ...off, recursionDesired: true })
    expect(header(0x0080)).toEqual({ ...off, recursionAvailable: true })
    expect(header(0x0040)).toEqual({ ...off, reserved: true })
    expect(header(0x0020)).toEqual({ ...off, authenticData: true })
    expect(header(0x0010)).toEqual({ ...off, checkingDisabled: true })
    expect(header(0x000f)).toEqual({ ...off, rcode: 15 })
  })

  test('reads a response with compressed names', () => {
    const { questions, answers } = message(
      octets([1, 1, 0, 0], '03777777 07 6578616d706c65 00 0001 0001  c00c 0001 0001 ffffffff 0004 c0000201'),
    )
    expect(questions.map((question) => formatName(question.name))).toEqual(['www.example'])
    expect(answers).toEqual([
      { name: questions[0]?.name, type: 1, class: 1, ttl: 0xffffffff, rdata: { kind: 'a', address: '192.0.2.1' } },
    ])
  })

  test('reads the OPT record wherever it stands in the additional section', () => {
    const a = '00 0001 0001 00000000 0004 c0000201'
    const opt = '00 0029 04d0 01 00 8001 0004 0003 0000'
    const { additionals, edns, header } = message(octets([0, 0, 0, 2], opt + a))
    expect(additionals).toHaveLength(1)
    expect(edns).toEqual({
      udpSize: 1232,
      extendedRcode: 1,
      version: 0,
      dnssecOk: true,
      reservedFlags: 1,
      options: [{ kind: 'nsid', octets: new Uint8Array(0) }],
    })
    expect(fullRcode({ header, edns, questions: [], answers: [], authorities: [], additionals: [] })).toBe(16)
    expect(message(octets([0, 0, 0, 2], a + opt)).edns).toEqual(edns)
  })

  test('keeps OPT records in wrong places as records', () => {
    const opt = '00 0029 04d0 00 00 0000 0002 0003'
    expect(message(octets([0, 1, 0, 0], opt)).answers[0]?.rdata.kind).toBe('unknown')
    const { additionals, edns } = message(octets([0, 0, 0, 1], `0161 ${opt}`))
    expect(edns).toBeUndefined()
    expect(additionals[0]?.rdata).toEqual({ kind: 'unknown', octets: Uint8Array.of(0, 3) })
  })

  test.each([
    ['nothing', new Uint8Array(0), 0, 'ends too early'],
    ['half a header', new Uint8Array(11), 10, 'ends too early'],
    ['a missing question', octets([1, 0, 0, 0], ''), 12, 'name ends too early'],
    ['half a question', octets([1, 0, 0, 0], '00 0001'), 15, 'ends too early'],
    ['a missing answer', octets([0, 1, 0, 0], ''), 12, 'name ends too early'],
    ['half a record', octets([0, 0, 1, 0], '00 0001 0001'), 17, 'ends too early'],
    [
      'content that ends after the message',
      octets([0, 1, 0, 0], '00 0001 0001 00000000 0004 c00002'),
      23,
      'ends too early',
    ],
    ['a bad owner', octets([0, 1, 0, 0], '40 0001 0001 00000000 0000'), 12, 'label of an unknown kind'],
    [
      'a bad owner of an additional record',
      octets([0, 0, 0, 1], 'c00c 0029'),
      12,
      'compression pointer that does not lead back',
    ],
    ['two OPT records', octets([0, 0, 0, 2], '00 0029 04d0 00000000 0000'.repeat(2)), 23, 'second OPT record'],
    [
      'options that end after their record',
      octets([0, 0, 0, 1], '00 0029 04d0 00000000 0005 0003 0002 00'),
      27,
      'ends too early',
    ],
    ['octets after the last record', octets([0, 0, 0, 0], '00'), 12, 'octets after the last record'],
    ['65,535 answers that are not there', octets([0, 65_535, 65_535, 65_535], ''), 12, 'name ends too early'],
  ])('says where and why %s is no message', (_what, input, offset, reason) => {
    expect(decodeMessage(input)).toEqual({ kind: 'malformed', offset, reason })
  })

  test.each([
    ['A of 3 octets', 1, 'c00002', 'ends too early'],
    ['A of 5 octets', 1, 'c000020100', 'octets after the last field'],
    ['A of no octets', 1, '', 'ends too early'],
    ['AAAA of 4 octets', 28, 'c0000201', 'ends too early'],
    ['NS whose name has no end', 2, '0161', 'name ends too early'],
    ['CNAME with a reserved label', 5, '4161 00', 'label of an unknown kind'],
    ['PTR with octets behind', 12, '00 00', 'octets after the last field'],
    ['SOA without numbers', 6, '00 00', 'ends too early'],
    ['MX without exchange', 15, '000a', 'name ends too early'],
    ['TXT without strings', 16, '', 'ends too early'],
    ['TXT with half a string', 16, '01 61 02 62', 'ends too early'],
    ['SRV without target', 33, '0001 0001 0035', 'name ends too early'],
    ['NAPTR without replacement', 35, '0001 0001 00 00 00', 'name ends too early'],
    ['CAA without tag', 257, '00 00 61', 'tag that is not letters and digits'],
    ['CAA with a tag of other characters', 257, '00 02 612d', 'tag that is not letters and digits'],
    ['DS of 3 octets', 43, '000108', 'ends too early'],
    ['DNSKEY of 3 octets', 48, '010103', 'ends too early'],
    ['RRSIG with a compressed signer', 46, `${'00'.repeat(18)} c00c`, 'compressed name in a type that forbids it'],
    ['NSEC with an empty window', 47, '00 00 00', 'type bitmap window of a wrong size'],
    ['NSEC3 with half a salt', 50, '01 00 0000 04 aabb', 'ends too early'],
    ['TLSA of 2 octets', 52, '0301', 'ends too early'],
    ['SVCB with a compressed target', 64, '0001 c00c', 'compressed name in a type that forbids it'],
    ['HTTPS with a key twice', 65, '0001 00 0003 0000 0003 0000', 'service parameters out of order'],
    ['HTTPS with keys out of order', 65, '0001 00 0004 0000 0003 0000', 'service parameters out of order'],
    ['HTTPS with half a parameter', 65, '0001 00 0003 0002 00', 'ends too early'],
  ])('keeps the octets of %s', (_what, type, hex, reason) => {
    const content = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    expect(rdata(type, hex)).toEqual({ kind: 'malformed', octets: content, reason })
  })

  test('goes on behind content that does not fit', () => {
    const records = '00 0001 0001 00000000 0001 c0  00 0001 0001 00000000 0004 c0000201'
    expect(message(octets([0, 2, 0, 0], records)).answers.map((record) => record.rdata.kind)).toEqual([
      'malformed',
      'a',
    ])
  })

  test('is malformed where content depends on a pointer and does not fit', () => {
    const question = '0161 00 0002 0001'
    const record = (content: string) => octets([1, 1, 0, 0], `${question} c00c 0002 0001 00000000 ${content}`)
    expect(decodeMessage(record('0002 c00c')).kind).toBe('message')
    expect(decodeMessage(record('0003 c00c 00'))).toMatchObject({ reason: 'octets after the last field' })
    expect(decodeMessage(record('0002 c01f'))).toMatchObject({ reason: 'compression pointer that does not lead back' })
  })

  test('decompresses SRV and NAPTR, as RFC 3597 asks for', () => {
    const question = '0161 00 0021 0001'
    const srv = octets([1, 1, 0, 0], `${question} c00c 0021 0001 00000000 0008 0001 0002 0035 c00c`)
    expect(message(srv).answers[0]?.rdata).toMatchObject({ kind: 'srv', target: [Uint8Array.of(0x61)] })
    const naptr = octets([1, 1, 0, 0], `${question} c00c 0023 0001 00000000 0009 0001 0002 00 00 00 c00c`)
    expect(message(naptr).answers[0]?.rdata).toMatchObject({ kind: 'naptr', replacement: [Uint8Array.of(0x61)] })
  })

  test('gives types of class IN no meaning in other classes', () => {
    // RFC 1035 has no A in CH; Chaosnet's is a name and a number.
    expect(rdata(1, 'c0000201', '0003')).toEqual({ kind: 'unknown', octets: Uint8Array.of(192, 0, 2, 1) })
    expect(rdata(16, '0161', '0003')).toEqual({ kind: 'txt', strings: [Uint8Array.of(0x61)] })
  })

  test('shares no memory with its input', () => {
    const input = octets([1, 1, 0, 0], '0161 00 0010 0001  c00c 0010 0001 00000000 0002 0162')
    const before = message(input)
    const copy = structuredClone(before)
    input.fill(0xff)
    expect(before).toEqual(copy)
  })

  test('takes copies from buffers of Node too, whose slices are views', () => {
    const hex = '0161 00 0010 0001  c00c 0010 0001 00000000 0002 0162'
    // In the middle of a larger one, as small buffers are.
    const buffer = Buffer.concat([Buffer.alloc(3), octets([1, 1, 0, 0], hex), Buffer.alloc(3)]).subarray(3, -3)
    const decoded = message(buffer)
    buffer.fill(0xff)
    expect(decoded).toEqual(message(octets([1, 1, 0, 0], hex)))
  })

  test('does not multiply one long name by the records that point to it', () => {
    // 127 labels in the question; 5,440 answers point somewhere into them.
    const question = `${'0161'.repeat(127)}00 0001 0001`
    let answers = ''
    for (let i = 0; i < 5440; i++) answers += `${(0xc00c + (i % 127) * 2).toString(16)} fff0 0001 00000000 0000`
    const decoded = message(octets([1, 5440, 0, 0], question + answers))
    const names = new Set(decoded.answers.map((record) => record.name))
    const labels = new Set([...names].flat())
    expect([names.size, labels.size]).toEqual([127, 127])
  })

  test('neither throws nor invents, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (input) => {
        const decoded = decodeMessage(input)
        const again = decoded.kind === 'message' ? decodeMessage(encodeMessage(decoded.message)) : decoded
        expect(again).toEqual(decoded)
        expect(decoded.kind === 'malformed' ? decoded.offset : 0).toBeLessThanOrEqual(input.length)
      }),
      { numRuns: Math.max(2000, fc.readConfigureGlobal().numRuns ?? 0) },
    )
  })

  test('gives an equal message after encoding, for any record content', () => {
    const types = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 41, 43, 46, 47, 48, 50, 52, 64, 65, 257, 65_280]
    // Octets as they occur in names, counts and bitmaps; pointers lead to the question at 12.
    const octet = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 0x61, 0x2e, 0xc0, 0x0c, 0x40), fc.nat(255))
    const record = fc.tuple(fc.constantFrom(...types), fc.array(octet, { maxLength: 30 }))
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), (records) => {
        const body = records.map(([type, content]) =>
          Buffer.concat([
            Uint8Array.of(0xc0, 0x0c, type >> 8, type & 0xff, 0, 1, 0, 0, 0, 9, 0, content.length),
            Uint8Array.from(content),
          ]).toString('hex'),
        )
        const decoded = decodeMessage(octets([1, records.length, 0, 0], `01610162 00 0001 0001 ${body.join('')}`))
        if (decoded.kind === 'malformed') return
        expect(decodeMessage(encodeMessage(decoded.message))).toEqual(decoded)
        expect(decodeMessage(encodeMessage(decoded.message, { compress: true }))).toEqual(decoded)
      }),
      { numRuns: Math.max(5000, fc.readConfigureGlobal().numRuns ?? 0) },
    )
  })
})
