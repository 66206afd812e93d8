/** Module `dnsresolution`: can the exit resolve names at all? Replaces exitmap's module of this name. */
import { ConfigError } from '../../../core/config-error.ts'
import type { ExitModule } from '../exit-module.ts'

/** Resolves the names of `--stable-domains`, or the host of `-H`. */
export function createDnsresolution(): ExitModule {
  let names: readonly string[] = []
  return {
    name: 'dnsresolution',
    description: 'resolves the names of --stable-domains (or -H HOST) through every exit',
    setup: ({ stableDomains, target }) => {
      names = stableDomains.length > 0 ? stableDomains : target === null ? [] : [target.host]
      if (names.length > 0) return
      throw new ConfigError(
        'dnsresolution',
        'the module dnsresolution needs names to resolve, and no third party is built in',
        'candor exits run dnsresolution --stable-domains FILE, or -H NAME',
      )
    },
    probe: async function* (_exit, { dialer }) {
      for (const name of names) {
        const answer = await dialer.resolve(name)
        const resolved = answer.rcode === 0 && answer.addresses.length > 0
        yield {
          status: resolved ? 'success' : answer.rcode === null ? 'error' : 'dns_fail',
          query_domain: name,
          dns_rcode: answer.rcode,
          resolved_ip: answer.addresses[0] ?? null,
          addresses: [...answer.addresses],
          latency_ms: answer.elapsedMs,
          error: answer.failure,
        }
      }
    },
  }
}
