/** Which zone a mode asks, and what is right there. */
import { ConfigError } from '../../core/config-error.ts'
import { canonicalIp } from '../../core/ip-address.ts'
import { randomInt, type Random } from '../../core/random.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import type { ExitMode } from '../../model/exit-result.ts'
import { checkBaseDomain } from './query-name.ts'
import type { ZoneExpectation } from './scan-context.ts'

/** The modes to try, in order: one, or all three for `auto`. */
export function modesToTry(options: ExitRunOptions): readonly ExitMode[] {
  if (options.mode !== 'auto') return [options.mode]
  const modes: ExitMode[] = options.domain === null ? [] : ['wildcard']
  modes.push('nxdomain')
  if (options.stableDomains.length > 0) modes.push('stable')
  return modes
}

/**
 * The zone of a mode.
 *
 * @throws {ConfigError} When the options lack what the mode needs, or a domain is too long.
 */
export function zoneOf(mode: ExitMode, options: ExitRunOptions, random: Random): ZoneExpectation {
  switch (mode) {
    case 'wildcard': {
      if (options.domain === null) throw missingDomain()
      return wildcardZone(options.domain, options.expect, '--domain')
    }
    case 'nxdomain': {
      const domain = options.nxdomainDomain ?? `${randomLabel(random)}.invalid`
      return { mode, domain: checkBaseDomain(domain, '--nxdomain-domain'), ipv4: [], ipv6: [] }
    }
    case 'stable': {
      if (options.stableDomains.length < 2) {
        throw new ConfigError(
          '--stable-domains',
          'stable mode needs at least two names, because one that fails proves nothing',
          '--stable-domains FILE with one name on each line',
        )
      }
      return { mode, domain: null, ipv4: [], ipv6: [] }
    }
  }
}

/** The second zone, on another authoritative server. @returns `undefined` without one. */
export function secondZone(options: ExitRunOptions): ZoneExpectation | undefined {
  if (options.secondDomain === null) return undefined
  return wildcardZone(options.secondDomain, options.secondExpect, '--second-domain')
}

function wildcardZone(domain: string, expect: readonly string[], path: string): ZoneExpectation {
  const addresses = expect.map((text) => canonicalIp(text) ?? text)
  return {
    mode: 'wildcard',
    domain: checkBaseDomain(domain, path),
    ipv4: addresses.filter((address) => !address.includes(':')),
    ipv6: addresses.filter((address) => address.includes(':')),
  }
}

function missingDomain(): ConfigError {
  return new ConfigError(
    '--domain',
    'no zone is given: wildcard mode asks unique names under a zone of yours',
    'candor exits run --domain ZONE --expect ADDRESS; `candor authority --zone ZONE --expect ADDRESS` serves such a zone',
  )
}

/** A label that nobody has registered: 16 letters. */
function randomLabel(random: Random): string {
  return Array.from({ length: 16 }, () => String.fromCharCode(97 + randomInt(random, 26))).join('')
}
