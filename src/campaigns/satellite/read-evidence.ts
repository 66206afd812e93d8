/**
 * Reads evidence back: the lines of `packets.json` and `fetches.json`.
 *
 * **Invariant**: a line that is none is `undefined`; nothing throws.
 */
import type {
  SatelliteCertificate,
  SatelliteFetch,
  SatellitePacket,
  SatellitePage,
  SatelliteQueryPackets,
} from '../../model/satellite-evidence.ts'
import type { JsonFields } from '../../model/satellite-row.ts'
import { isFields } from './row-fields.ts'

/** All datagrams of a pair. */
export interface PairPackets {
  readonly resolver: string
  readonly domain: string
  readonly queries: readonly SatelliteQueryPackets[]
}

/** Reads a line of `packets.json`. */
export function readPackets(fields: JsonFields): PairPackets | undefined {
  const { vp, test_url: domain, queries } = fields
  if (typeof vp !== 'string' || typeof domain !== 'string' || !Array.isArray(queries)) return undefined
  const read = queries.map((query: unknown) => readQuery(query))
  if (read.includes(undefined)) return undefined
  return { resolver: vp, domain, queries: read as readonly SatelliteQueryPackets[] }
}

function readQuery(value: unknown): SatelliteQueryPackets | undefined {
  if (!isFields(value)) return undefined
  const { purpose, name, packets } = value
  if ((purpose !== 'control' && purpose !== 'test') || typeof name !== 'string' || !Array.isArray(packets))
    return undefined
  const read = packets.map((packet: unknown) => readPacket(packet))
  return read.includes(undefined) ? undefined : { purpose, name, packets: read as readonly SatellitePacket[] }
}

function readPacket(value: unknown): SatellitePacket | undefined {
  if (!isFields(value)) return undefined
  const { elapsed_ms: elapsedMs, rcode, answers, octets_sha256: octetsSha256 } = value
  if (typeof elapsedMs !== 'number' || typeof rcode !== 'number' || typeof octetsSha256 !== 'string') return undefined
  return isTexts(answers) ? { elapsedMs, rcode, answers, octetsSha256 } : undefined
}

/** Reads a line of `fetches.json`. */
export function readFetch(fields: JsonFields): SatelliteFetch | undefined {
  const { address, domain, started_at_ms: startedAtMs, ended_at_ms: endedAtMs } = fields
  if (typeof address !== 'string' || typeof domain !== 'string') return undefined
  if (typeof startedAtMs !== 'number' || typeof endedAtMs !== 'number') return undefined
  const http = readPage(fields['http'])
  const https = readPage(fields['https'])
  const certificate = readCertificate(fields['certificate'])
  if (http === undefined || https === undefined || certificate === undefined) return undefined
  return { address, domain, http, https, certificate, startedAtMs, endedAtMs }
}

function readPage(value: unknown): SatellitePage | null | undefined {
  if (value === null) return null
  if (!isFields(value)) return undefined
  if (typeof value['error'] === 'string') return { error: value['error'] }
  const { status_line: statusLine, headers, body, is_truncated: isTruncated, body_sha256: bodySha256 } = value
  if (typeof statusLine !== 'string' || typeof body !== 'string' || typeof bodySha256 !== 'string') return undefined
  if (typeof isTruncated !== 'boolean' || !isFields(headers)) return undefined
  const entries = Object.entries(headers).flatMap(([name, values]) =>
    isTexts(values) ? [[name, values] as const] : [],
  )
  return { statusLine, headers: Object.fromEntries(entries), body, isTruncated, bodySha256 }
}

function readCertificate(value: unknown): SatelliteCertificate | null | undefined {
  if (value === null) return null
  if (!isFields(value)) return undefined
  const { sha256, is_chain_valid: isChainValid, is_name_valid: isNameValid, reason } = value
  if (typeof sha256 !== 'string' || typeof isChainValid !== 'boolean' || typeof isNameValid !== 'boolean')
    return undefined
  return { sha256, isChainValid, isNameValid, reason: typeof reason === 'string' ? reason : null }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
