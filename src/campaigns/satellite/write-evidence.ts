/** Evidence as JSON: the lines of `packets.json` and `fetches.json`. Readers: `read-evidence.ts`. */
import type { SatelliteFetch, SatellitePage, SatelliteQueryPackets } from '../../model/satellite-evidence.ts'
import type { JsonFields } from '../../model/satellite-row.ts'
import { whyNotCompared } from './page-hash.ts'

/** All datagrams of a pair. */
export function writePackets(resolver: string, domain: string, queries: readonly SatelliteQueryPackets[]): JsonFields {
  return {
    vp: resolver,
    test_url: domain,
    queries: queries.map(({ purpose, name, packets }) => ({
      purpose,
      name,
      packets: packets.map(({ elapsedMs, rcode, answers, octetsSha256 }) => ({
        elapsed_ms: elapsedMs,
        rcode,
        answers,
        octets_sha256: octetsSha256,
      })),
    })),
  }
}

/** What stands at an address under a name. */
export function writeFetch({
  address,
  domain,
  http,
  https,
  certificate,
  startedAtMs,
  endedAtMs,
}: SatelliteFetch): JsonFields {
  return {
    address,
    domain,
    http: writePage(http),
    https: writePage(https),
    certificate:
      certificate === null
        ? null
        : {
            sha256: certificate.sha256,
            is_chain_valid: certificate.isChainValid,
            is_name_valid: certificate.isNameValid,
            reason: certificate.reason,
          },
    started_at_ms: startedAtMs,
    ended_at_ms: endedAtMs,
  }
}

function writePage(page: SatellitePage | null): JsonFields | null {
  if (page === null || 'error' in page) return page
  return {
    status_line: page.statusLine,
    headers: page.headers,
    body: page.body,
    is_truncated: page.isTruncated,
    body_sha256: page.bodySha256,
    not_compared: whyNotCompared(page),
  }
}
