/**
 * Module `dnspoison`: does the exit answer for other people's names as trusted resolvers do?
 *
 * Names and their right addresses come from `--decoys`; for names of `--stable-domains` the trusted resolver is asked
 * once before the run. An address that nobody expected is a mismatch to look at, not a proof: content networks answer by
 * place.
 */
import { ConfigError } from '../../../core/config-error.ts'
import type { ExitModule, ModuleSetup } from '../exit-module.ts'

/** Compares with trusted addresses. */
export function createDnspoison(): ExitModule {
  let expected: ReadonlyMap<string, readonly string[]> = new Map()
  return {
    name: 'dnspoison',
    description: 'compares the answers for --decoys (or --stable-domains) with trusted ones',
    setup: async (setup) => {
      expected = await learn(setup)
      if (expected.size > 0) return
      throw new ConfigError(
        'dnspoison',
        'the module dnspoison needs names with their right addresses, and no third party is built in',
        'candor exits run dnspoison --decoys FILE, with lines `NAME ADDRESS [ADDRESS…]`',
      )
    },
    probe: async function* (_exit, { dialer }) {
      for (const [name, right] of expected) {
        const answer = await dialer.resolve(name)
        const foreign = answer.addresses.filter((address) => !right.includes(address))
        const status = answer.rcode === null ? 'error' : answer.rcode !== 0 ? 'dns_fail' : 'success'
        yield {
          status: foreign.length > 0 ? 'wrong_ip' : status,
          query_domain: name,
          expected: [...right],
          addresses: [...answer.addresses],
          unexpected: foreign,
          dns_rcode: answer.rcode,
          latency_ms: answer.elapsedMs,
          error: answer.failure,
        }
      }
    },
  }
}

async function learn(setup: ModuleSetup): Promise<ReadonlyMap<string, readonly string[]>> {
  const expected = new Map<string, readonly string[]>()
  for (const { name, addresses } of setup.decoys) expected.set(name, addresses)
  for (const name of setup.stableDomains) {
    if (expected.has(name)) continue
    const { addresses } = await setup.askTrusted(name)
    if (addresses.length > 0) expected.set(name, addresses)
    else setup.log.warn('exits.dnspoison.untrusted', { name })
  }
  return expected
}
