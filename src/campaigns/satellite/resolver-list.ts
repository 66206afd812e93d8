/**
 * Lists of resolvers that people write, and the control resolvers of those who write none.
 *
 * **Invariant**: addresses come out canonical and each once. The default has the resolvers of more than five operators, in two
 * networks each where they have two.
 *
 * **Sources**: the operators' own pages.
 */
import { ConfigError } from '../../core/config-error.ts'
import { canonicalIp } from '../../core/ip-address.ts'

const RESOLVERS_MAX = 1_000_000

/** A resolver of a list. */
export interface ListedResolver {
  readonly address: string
  /** Name of the host, where the list says it; for those who do not want to be asked by name. */
  readonly hostName: string | null
}

/** Asked for the truth, where nothing else is configured: seven operators. */
export const DEFAULT_CONTROL: readonly ListedResolver[] = [
  { address: '8.8.8.8', hostName: 'dns.google' },
  { address: '8.8.4.4', hostName: 'dns.google' },
  { address: '1.1.1.1', hostName: 'one.one.one.one' },
  { address: '1.0.0.1', hostName: 'one.one.one.one' },
  { address: '9.9.9.9', hostName: 'dns9.quad9.net' },
  { address: '149.112.112.112', hostName: 'dns.quad9.net' },
  { address: '208.67.222.222', hostName: 'dns.opendns.com' },
  { address: '94.140.14.140', hostName: 'unfiltered.adguard-dns.com' },
  { address: '64.6.64.6', hostName: 'recpubns1.nstld.net' },
  { address: '185.222.222.222', hostName: 'dns.sb' },
]

/** Reads `ADDRESS [NAME]`, one a line; what follows `#` is a comment. @throws {ConfigError} With the line that is none. */
export function parseResolvers(text: string, path: string): readonly ListedResolver[] {
  const found = new Map<string, ListedResolver>()
  for (const [index, line] of text.split('\n').entries()) {
    const [word = '', hostName] = line.replace(/#.*$/, '').trim().split(/\s+/)
    if (word === '') continue
    const address = canonicalIp(word)
    const place = `${path}:${index + 1}`
    if (address === undefined)
      throw new ConfigError(place, `\`${word}\` is no address`, 'as in: 192.0.2.53 ns1.example')
    if (found.size >= RESOLVERS_MAX)
      throw new ConfigError(place, `there are more than ${RESOLVERS_MAX} resolvers`, 'split the list')
    found.set(address, { address, hostName: hostName ?? null })
  }
  return [...found.values()]
}
