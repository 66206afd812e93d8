/** The list of names to be tested. */
import { ConfigError } from '../../core/config-error.ts'
import { parseName } from '../../dns/name.ts'

const DOMAINS_MAX = 100_000

/** Reads one name a line, each once; what follows `#` is a comment. @throws {ConfigError} With the line that is none. */
export function parseDomains(text: string, path: string): readonly string[] {
  const domains = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const domain = line.replace(/#.*$/, '').trim().replace(/\.$/, '').toLowerCase()
    if (domain === '') continue
    const place = `${path}:${index + 1}`
    if (parseName(domain) === undefined)
      throw new ConfigError(place, `\`${domain}\` is no domain name`, 'as in: www.example.org, one name a line')
    if (domains.size >= DOMAINS_MAX)
      throw new ConfigError(place, `there are more than ${DOMAINS_MAX} names`, 'split the list')
    domains.add(domain)
  }
  return [...domains]
}
