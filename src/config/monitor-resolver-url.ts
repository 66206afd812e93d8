/** Resolvers of `dns-monitor.toml`: a URL says the transport, the place and the path. */
import { canonicalIp } from '../core/ip-address.ts'
import type { MonitorResolver } from '../model/monitor-name.ts'

/** What the URL of a resolver looks like. */
export const RESOLVER_URL_FORM = 'https://dns.zone.example/dns-query, tls://192.0.2.53, udp://192.0.2.53:5300'

const PORTS = { udp: 53, tcp: 53, tls: 853, https: 443, https_json: 443 } as const

/** Where a resolver is. */
export type ResolverPlace = Omit<MonitorResolver, 'name' | 'operator'>

/** Resolvers that are asked where a file names none: three operators. */
export const DEFAULT_MONITOR_RESOLVERS: readonly MonitorResolver[] = [
  publicResolver('cloudflare', 'cloudflare-dns.com', '1.1.1.1'),
  publicResolver('google', 'dns.google', '8.8.8.8'),
  publicResolver('quad9', 'dns.quad9.net', '9.9.9.9'),
]

function publicResolver(name: string, host: string, address: string): MonitorResolver {
  return { name, operator: name, transport: 'https', host, address, port: PORTS.https, path: '/dns-query' }
}

/**
 * Parses a URL.
 *
 * @param address - Where the host is; needed where the URL has a name, because nothing is looked up to ask a resolver.
 * @returns `undefined` when it is none of the forms; `'address'` when the address is missing or is none.
 */
export function parseResolverUrl(
  url: string,
  address: string | null,
  isJson: boolean,
): ResolverPlace | 'address' | undefined {
  const match = /^(udp|tcp|tls|https):\/\/(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?(\/[!-~]*)?$/i.exec(url)
  if (match === null) return undefined
  const scheme = (match[1] ?? '').toLowerCase() as 'udp' | 'tcp' | 'tls' | 'https'
  const transport = scheme === 'https' && isJson ? 'https_json' : scheme
  const host = (match[2] ?? match[3] ?? '').toLowerCase()
  const port = match[4] === undefined ? PORTS[transport] : Number(match[4])
  const path = match[5] ?? ''
  if (port < 1 || port > 65_535 || (isJson && scheme !== 'https') || /[?#]/.test(path)) return undefined
  if (scheme !== 'https' && path !== '' && path !== '/') return undefined
  const place = canonicalIp(address ?? host)
  if (place === undefined) return 'address'
  return { transport, host, address: place, port, path: scheme === 'https' && path.length > 1 ? path : '/dns-query' }
}
