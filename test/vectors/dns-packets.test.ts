/**
 * Packets of real servers: every one is understood, says what `dig` says it says, and survives a round trip.
 *
 * `dns-packets/README.md` tells where they come from.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/dns/decode-message.ts'
import { encodeMessage } from '../../src/dns/encode-message.ts'
import type { DnsMessage, ResourceRecord } from '../../src/dns/message.ts'
import { formatName } from '../../src/dns/name.ts'
import { formatRdata } from '../../src/dns/rdata.ts'
import { formatRrClass, formatRrType } from '../../src/dns/rr-type.ts'

interface Packet {
  readonly server: string
  readonly what: string
  readonly request: Uint8Array
  readonly response: Uint8Array
  /** What `dig` prints for the response; not for transfers, errors of format and opcodes other than QUERY. */
  readonly dig: readonly string[] | undefined
}

const FOLDER = new URL('dns-packets/', import.meta.url)

function readPackets(file: string): readonly Packet[] {
  const lines = readFileSync(new URL(file, FOLDER), 'utf8').trimEnd().split('\n')
  const { server } = JSON.parse(lines[0] ?? '') as { server: string }
  return lines.slice(1).map((line) => {
    const { what, request, response, dig } = JSON.parse(line) as Record<'what' | 'request' | 'response', string> & {
      dig?: readonly string[]
    }
    return { server, what, request: fromHex(request), response: fromHex(response), dig }
  })
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

function message(octets: Uint8Array): DnsMessage {
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') throw new Error(`${decoded.reason} at ${decoded.offset}`)
  return decoded.message
}

function records(of: DnsMessage): readonly ResourceRecord[] {
  return [...of.answers, ...of.authorities, ...of.additionals]
}

const files = readdirSync(FOLDER).filter((file) => file.endsWith('.jsonl'))
const packets = files.flatMap(readPackets)

/** Errors of format that repeat the question's count and not the question: `dig` calls them bad packets too. */
const MALFORMED = ['nsd: types.example IXFR', 'unbound: half a question']

const understood = packets.filter((packet) => !MALFORMED.includes(`${packet.server}: ${packet.what}`))
const responses = understood.map((packet) => [`${packet.server}: ${packet.what}`, packet] as const)

describe('packets of real servers', () => {
  test('are at least 200, of six servers, with every type and option that has a shape', () => {
    expect(packets.length).toBeGreaterThan(200)
    expect(files).toHaveLength(6)
    const messages = understood.map((packet) => message(packet.response))
    const kinds = new Set(messages.flatMap((item) => records(item).map((record) => record.rdata.kind)))
    expect([...kinds].sort().join(' ')).toBe(
      'a aaaa caa cname dnskey ds https mx naptr ns nsec nsec3 ptr rrsig soa srv svcb tlsa txt unknown',
    )
    const options = new Set(messages.flatMap((item) => item.edns?.options.map((option) => option.kind) ?? []))
    expect([...options].sort().join(' ')).toBe('client_subnet cookie extended_error nsid padding')
  })

  test.each(responses)('%s', (_what, { request, response, dig }) => {
    const decoded = message(response)
    expect(decoded.header.id).toBe(((request[0] as number) << 8) | (request[1] as number))
    expect(message(encodeMessage(decoded))).toEqual(decoded)
    expect(message(encodeMessage(decoded, { compress: true }))).toEqual(decoded)
    expect(records(decoded).filter((record) => record.rdata.kind === 'malformed')).toEqual([])
    // Types without a shape are printed by number and octets here and in their own form there.
    const expected = dig?.map((line, i) => (isShaped(records(decoded)[i]) ? line : line.split(' ', 4).join(' ')))
    const lines = records(decoded).map((record) =>
      isShaped(record) ? formatRecord(record) : formatRecord(record).split(' ', 4).join(' '),
    )
    expect(lines).toEqual(expected ?? lines)
  })

  test('are malformed where a count lies', () => {
    const malformed = packets.filter((packet) => decodeMessage(packet.response).kind === 'malformed')
    expect(malformed.map((packet) => `${packet.server}: ${packet.what}`)).toEqual(MALFORMED)
  })

  test('give back the same octets where nothing is compressed', () => {
    const all = packets.flatMap((packet) => [packet.request, packet.response])
    const uncompressed = all.filter((octets) => {
      const decoded = decodeMessage(octets)
      return decoded.kind === 'message' && encodeMessage(decoded.message).length === octets.length
    })
    expect(uncompressed.length).toBeGreaterThan(packets.length)
    expect(uncompressed.filter((octets) => toHex(encodeMessage(message(octets))) !== toHex(octets))).toEqual([])
  })
})

/** A line of a master file. */
function formatRecord(record: ResourceRecord): string {
  const owner = record.name.length === 0 ? '.' : `${formatName(record.name)}.`
  const head = `${owner} ${record.ttl} ${formatRrClass(record.class)} ${formatRrType(record.type)}`
  return `${head} ${formatRdata(record.rdata)}`
}

function isShaped(record: ResourceRecord | undefined): boolean {
  return record?.rdata.kind !== 'unknown'
}

function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}
