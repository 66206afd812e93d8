/**
 * The root servers: where a walk through the delegations begins.
 *
 * Sources: IANA root hints (https://www.internic.net/domain/named.root, version of 2024 with the new address of b); its
 * form is that of a master file.
 */
import { canonicalIp } from '../core/ip-address.ts'
import { parseName, type Name } from '../dns/name.ts'

/** An authoritative server with one of its addresses. */
export interface NameServer {
  readonly name: Name
  readonly address: string
}

const ADDRESSES: readonly (readonly string[])[] = [
  ['198.41.0.4', '2001:503:ba3e::2:30'],
  ['170.247.170.2', '2801:1b8:10::b'],
  ['192.33.4.12', '2001:500:2::c'],
  ['199.7.91.13', '2001:500:2d::d'],
  ['192.203.230.10', '2001:500:a8::e'],
  ['192.5.5.241', '2001:500:2f::f'],
  ['192.112.36.4', '2001:500:12::d0d'],
  ['198.97.190.53', '2001:500:1::53'],
  ['192.36.148.17', '2001:7fe::53'],
  ['192.58.128.30', '2001:503:c27::2:30'],
  ['193.0.14.129', '2001:7fd::1'],
  ['199.7.83.42', '2001:500:9f::42'],
  ['202.12.27.33', '2001:dc3::35'],
]

/** The root servers of the Internet: `a.root-servers.net` to `m`. */
export const ROOT_SERVERS: readonly NameServer[] = ADDRESSES.flatMap((addresses, index) =>
  addresses.map((address) => ({
    name: parseName(`${String.fromCharCode(0x61 + index)}.root-servers.net`) ?? [],
    address,
  })),
)

/** Reads the servers of a hints file: its A and AAAA records. */
export function parseRootHints(text: string): readonly NameServer[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\S+)\s+(?:\d+\s+)?(?:IN\s+)?(?:\d+\s+)?(?:A|AAAA)\s+(\S+)\s*(?:;.*)?$/i.exec(line)
    const [name, address] = [parseName(match?.[1] ?? ''), canonicalIp(match?.[2] ?? '')]
    return name === undefined || address === undefined ? [] : [{ name, address }]
  })
}
