/**
 * What the satellite world answers to whom about which name, and why: the servers send it, and the truth is made of it.
 *
 * Invariant: a pure function of plan, resolver and name; nothing depends on time or on the order of questions.
 */
import { RCODE_NXDOMAIN } from '../dns/rcode.ts'
import { chooseBySeed } from './satellite-chance.ts'
import { CACHE_COUNTRY, listCaches, type PlannedDomain } from './satellite-domains.ts'
import { BLOCK_SERVERS, PARKED_ADDRESS } from './satellite-block-servers.ts'
import type { SatellitePlan } from './satellite-plan.ts'
import { mechanismOf, type PlannedControl, type PlannedResolver } from './satellite-resolvers.ts'

const RCODE_SERVFAIL = 2
const RCODE_REFUSED = 5
/** Later, but within the window of 500 ms that a measurement listens, whatever else the machine does. */
const LATE_MS = 10
/** After the window. */
const TOO_LATE_MS = 1_200
/** Nobody can say on which side of the window this falls. */
const AT_WINDOW_MS = 500
/** How many pairs in a thousand of one country have that. */
const AT_WINDOW_PER_THOUSAND = 20
const BOGUS = [
  '10.10.34.34',
  '0.0.0.0',
  '127.0.0.1',
  '192.168.1.1',
  '100.64.3.3',
  '169.254.7.7',
  '240.0.0.1',
  '172.16.9.9',
]
/** Just outside of the reserved ranges. */
const NEARLY_BOGUS = ['11.0.0.1', '172.32.0.1', '100.128.0.1', '192.169.0.1', '9.255.255.255', '169.253.0.1']

/** A datagram that answers. */
export interface PlannedDatagram {
  /** After the question, in milliseconds. */
  readonly afterMs: number
  readonly rcode: number
  readonly addresses: readonly string[]
}

/** What happens to one pair. */
export interface Treatment {
  /** One word for tables. */
  readonly label: string
  /** Earliest first; none for silence. */
  readonly datagrams: readonly PlannedDatagram[]
  /** Whether somebody interfered. */
  readonly isInterference: boolean
  /** Why nobody can say what is right about this pair. */
  readonly ambiguity?: string
}

/** What a control resolver answers. */
export function treatControl(plan: SatellitePlan, control: PlannedControl, domain: PlannedDomain): Treatment {
  if (control.isBroken) return rcodeOnly('broken', RCODE_SERVFAIL)
  if (domain.kind === 'half' && !control.seesHalf) return rcodeOnly('half', RCODE_NXDOMAIN)
  return answerRightly(plan, control.address, domain)
}

/** What a measured resolver answers. */
export function treatPair(plan: SatellitePlan, resolver: PlannedResolver, domain: PlannedDomain): Treatment {
  const { character } = resolver
  if (character.kind === 'unreliable') {
    const isFailing = (plan.failing.get(resolver.address) ?? new Set()).has(domain.name)
    if (!isFailing || domain.home.length === 0) return answerRightly(plan, resolver.address, domain)
    const label = `unreliable_${character.by}`
    if (character.by === 'time_out') return { label, datagrams: [], isInterference: false }
    if (character.by === 'rcode') return rcodeOnly(label, RCODE_SERVFAIL)
    return answer(label, [PARKED_ADDRESS])
  }
  const chance = (maxExclusive: number, ...words: readonly string[]): number =>
    chooseBySeed(maxExclusive, plan.seed, resolver.address, domain.name, ...words)
  if (domain.isCensored) {
    const censored = treatCensored(plan, resolver, domain)
    if (censored !== undefined) return censored
  }
  const mechanism = mechanismOf(resolver.country)
  if (mechanism === 'bogus' && domain.kind === 'related') return interfere('block_page_for_few', [BLOCK_SERVERS.few])
  if (domain.kind === 'moved' && mechanism !== 'block_page' && chance(2, 'moved') === 0)
    return answer('other_host', domain.elsewhere)
  if (domain.kind === 'content' && mechanism === 'other_network' && chance(2, 'network') === 0)
    return answer('other_network', pick(domain.elsewhere, 2, chance(97, 'pick')))
  if (domain.kind === 'cached' && resolver.country === CACHE_COUNTRY)
    return answer('cache', [listCaches()[chance(listCaches().length, 'cache')] ?? ''])
  const right = answerRightly(plan, resolver.address, domain)
  return mechanism === 'late'
    ? repeat(right, chance(3, 'late'))
    : mechanism === 'other_host'
      ? delay(right, chance(1000, 'window'))
      : right
}

/** What happens at an address that is no resolver: only who is on the path answers. */
export function treatNonResolver(plan: SatellitePlan, address: string, domain: PlannedDomain): Treatment {
  return domain.isCensored
    ? interfere('injected_without_resolver', [forge(plan, address, domain)])
    : { label: 'no_resolver', datagrams: [], isInterference: false }
}

function treatCensored(plan: SatellitePlan, resolver: PlannedResolver, domain: PlannedDomain): Treatment | undefined {
  const at = plan.domains.indexOf(domain)
  const mechanism = mechanismOf(resolver.country)
  switch (mechanism) {
    case 'block_page':
      return interfere('block_page', [at % 4 === 0 ? BLOCK_SERVERS.unlisted : BLOCK_SERVERS.listed])
    case 'injection': {
      const right = answerRightly(plan, resolver.address, domain)
      const forged = { afterMs: 0, rcode: 0, addresses: [forge(plan, resolver.address, domain)] }
      const later = right.datagrams.map((datagram) => ({ ...datagram, afterMs: LATE_MS }))
      return { label: 'injected', datagrams: [forged, ...later], isInterference: true }
    }
    case 'bogus':
      return interfere('bogus', [BOGUS[at % BOGUS.length] ?? ''])
    case 'nxdomain':
      return at % 3 === 0
        ? answer('nearly_bogus', [NEARLY_BOGUS[at % NEARLY_BOGUS.length] ?? ''], true)
        : { ...rcodeOnly('nxdomain', RCODE_NXDOMAIN), isInterference: true }
    case 'failure': {
      if (at % 4 === 3) return { label: 'dropped', datagrams: [], isInterference: true }
      return {
        ...rcodeOnly(at % 2 === 0 ? 'refused' : 'servfail', at % 2 === 0 ? RCODE_REFUSED : RCODE_SERVFAIL),
        isInterference: true,
      }
    }
    case 'block_page_on_content':
      return interfere('block_page_on_content', [BLOCK_SERVERS.onContent])
    case 'other_host':
    case 'other_network':
    case 'caches':
    case 'late':
      return undefined
    default:
      return mechanism satisfies never
  }
}

/** An address that has nothing to do with the name: the server of another one. */
function forge(plan: SatellitePlan, address: string, domain: PlannedDomain): string {
  const others = plan.domains.filter(({ kind, name }) => kind === 'single' && name !== domain.name)
  return (
    others[chooseBySeed(Math.max(1, others.length), plan.seed, address, domain.name, 'forged')]?.home[0] ??
    '203.0.113.9'
  )
}

function answerRightly(plan: SatellitePlan, asker: string, domain: PlannedDomain): Treatment {
  if (domain.kind === 'dead') return rcodeOnly('dead', RCODE_NXDOMAIN)
  if (domain.kind === 'failing') return rcodeOnly('failing', RCODE_SERVFAIL)
  if (domain.kind === 'half') {
    const works = chooseBySeed(2, plan.seed, asker, domain.name, 'half') === 0 || asker.startsWith('198.19.')
    return works ? answer('right', domain.home) : rcodeOnly('half', RCODE_NXDOMAIN)
  }
  const isPool = domain.home.length > 2
  return answer(
    isPool ? 'rotating' : 'right',
    isPool ? pick(domain.home, 2, chooseBySeed(97, plan.seed, asker, domain.name, 'pool')) : domain.home,
  )
}

/** Further datagrams that mean nothing: the same again, the same in another order, another one when nobody listens. */
function repeat(right: Treatment, kind: number): Treatment {
  const [first] = right.datagrams
  if (first === undefined || first.addresses.length === 0) return right
  if (kind === 0) return { ...right, label: 'late_duplicate', datagrams: [first, { ...first, afterMs: LATE_MS }] }
  if (kind === 1) {
    const turned = { ...first, afterMs: LATE_MS, addresses: first.addresses.toReversed() }
    return { ...right, label: 'late_reordered', datagrams: [first, turned] }
  }
  const other = { afterMs: TOO_LATE_MS, rcode: 0, addresses: [PARKED_ADDRESS] }
  return { ...right, label: 'after_the_window', datagrams: [first, other] }
}

function delay(right: Treatment, chance: number): Treatment {
  const [first] = right.datagrams
  if (chance >= AT_WINDOW_PER_THOUSAND || first === undefined || first.addresses.length === 0) return right
  return {
    ...right,
    label: 'at_the_window',
    datagrams: [first, { afterMs: AT_WINDOW_MS, rcode: 0, addresses: [PARKED_ADDRESS] }],
    ambiguity: `a different response comes ${AT_WINDOW_MS} ms after the first one, where the window ends`,
  }
}

function answer(label: string, addresses: readonly string[], isInterference = false): Treatment {
  return { label, datagrams: [{ afterMs: 0, rcode: 0, addresses }], isInterference }
}

function interfere(label: string, addresses: readonly string[]): Treatment {
  return answer(label, addresses, true)
}

function rcodeOnly(label: string, rcode: number): Treatment {
  return { label, datagrams: [{ afterMs: 0, rcode, addresses: [] }], isInterference: false }
}

/** As many neighbours of a ring, from a place on. */
function pick(pool: readonly string[], count: number, from: number): readonly string[] {
  return Array.from({ length: Math.min(count, pool.length) }, (_, index) => pool[(from + index) % pool.length] ?? '')
}
