/**
 * The zones of the laboratory: the measured one, a second one on another server, pages and decoys, a signed one and a
 * bogus one.
 */
import type { ZoneConfig } from '../authority/zone.ts'
import { assert } from '../core/assert.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { type Name, parseName } from '../dns/name.ts'
import type { Rdata } from '../dns/rdata.ts'
import { CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_NS, TYPE_SOA } from '../dns/rr-type.ts'
import { signZone } from './dnssec-signer.ts'
import { SIGNED_ADDRESSES } from './lab-addresses.ts'

/** The wildcard zone that a run measures. */
export const MEASURED_ZONE = 'exit-check.candor.test'
/** The wildcard zone on another server. */
export const SECOND_ZONE = 'second.candor.test'
/** Names that are not measured: the pages' host and the decoys. */
export const PAGES_ZONE = 'pages.candor.test'
/** A wildcard zone with good signatures. */
export const SIGNED_ZONE = 'signed.candor.test'
/** A wildcard zone whose signatures over addresses are wrong. */
export const BOGUS_ZONE = 'bogus.candor.test'
/** Where the laboratory's page and echo servers are. */
export const PAGES_HOST: string = `www.${PAGES_ZONE}`

/** Names with their addresses, as somebody's sites would have them. */
export const DECOYS: ReadonlyMap<string, string> = new Map([
  [`news.${PAGES_ZONE}`, '198.51.100.201'],
  [`bank.${PAGES_ZONE}`, '198.51.100.202'],
  [`mail.${PAGES_ZONE}`, '198.51.100.203'],
])

const TTL_SECONDS = 60
const APEX = '@'
const WILDCARD = '*'

/** The zone of pages and decoys. @param host - Address of {@link PAGES_HOST}. */
export function makePagesZone(host: string): ZoneConfig {
  const records = [...DECOYS, [PAGES_HOST, host] as const].map(([name, address]) =>
    makeRecord(toName(name), TYPE_A, { kind: 'a', address }),
  )
  return { name: PAGES_ZONE, addresses: [], ttlSeconds: TTL_SECONDS, records }
}

/** A signed wildcard zone; its trust anchor is new each time. */
export async function makeSignedZone(
  zone: string,
  nowMs: number,
  bogus: boolean,
): Promise<{ readonly config: ZoneConfig; readonly trustAnchor: string }> {
  const apex = toName(zone)
  const primary = toName(`ns1.${zone}`)
  const [ipv4, ipv6] = SIGNED_ADDRESSES
  const addressRecords = [APEX, WILDCARD].flatMap((label) => {
    const owner = label === APEX ? apex : toName(`${label}.${zone}`)
    return [
      makeRecord(owner, TYPE_A, { kind: 'a', address: ipv4 }),
      makeRecord(owner, TYPE_AAAA, { kind: 'aaaa', address: ipv6 }),
    ]
  })
  const soa: Rdata = {
    kind: 'soa',
    primary,
    mailbox: toName(`hostmaster.${zone}`),
    serial: 1,
    refreshSeconds: 3600,
    retrySeconds: 600,
    expireSeconds: 604_800,
    minimumSeconds: TTL_SECONDS,
  }
  const { records, trustAnchor } = await signZone({
    apex,
    records: [
      makeRecord(apex, TYPE_SOA, soa),
      makeRecord(apex, TYPE_NS, { kind: 'ns', name: primary }),
      ...addressRecords,
    ],
    nowMs,
    bogus,
    ttlSeconds: TTL_SECONDS,
  })
  return { config: { name: zone, addresses: [], ttlSeconds: TTL_SECONDS, records }, trustAnchor }
}

function makeRecord(name: Name, type: number, rdata: Rdata): ResourceRecord {
  return { name, type, class: CLASS_IN, ttl: TTL_SECONDS, rdata }
}

function toName(text: string): Name {
  const name = parseName(text)
  assert(name !== undefined, 'the laboratory has valid names only')
  return name
}
