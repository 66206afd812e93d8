/**
 * Module `dnssec`: does the exit's resolver validate? A name whose signatures are bogus must not resolve.
 *
 * The name is the operator's to choose (`-H`), because a zone that is broken on purpose belongs to somebody. The control
 * question, a name of the same kind that is signed rightly, is the first of `--stable-domains` where it is given.
 */
import { ConfigError } from '../../../core/config-error.ts'
import type { ExitModule } from '../exit-module.ts'

/** Asks for a bogus name. */
export function createDnssec(): ExitModule {
  let bogus = ''
  let control: string | undefined
  return {
    name: 'dnssec',
    description: 'a name with bogus signatures (-H NAME) must not resolve',
    setup: ({ target, stableDomains }) => {
      if (target === null) {
        throw new ConfigError(
          'dnssec',
          'the module dnssec needs a name whose signatures are bogus',
          'candor exits run dnssec -H BOGUS-NAME [--stable-domains FILE with a rightly signed name]',
        )
      }
      bogus = target.host
      control = stableDomains[0]
    },
    probe: async function* (_exit, { dialer }) {
      const answer = await dialer.resolve(bogus)
      // Without a name that does resolve, "no answer" may as well be a resolver that answers nothing.
      const signed = control === undefined ? undefined : await dialer.resolve(control)
      const resolves = answer.rcode === 0 && answer.addresses.length > 0
      const controlResolves = signed === undefined ? null : signed.rcode === 0 && signed.addresses.length > 0
      const validates = resolves ? false : controlResolves === true ? true : null
      yield {
        status: answer.rcode === null ? 'error' : 'success',
        validates,
        query_domain: bogus,
        dns_rcode: answer.rcode,
        addresses: [...answer.addresses],
        control_domain: control ?? null,
        control_resolves: controlResolves,
        latency_ms: answer.elapsedMs,
        error: answer.failure,
      }
    },
  }
}
