/**
 * The names of the satellite world: where each is really served, and with which certificates and pages.
 *
 * Invariant: the same seed and number give the same names, addresses and pages.
 */
import { createSeededRandom, shuffle } from '../core/random.ts'
import { ACCESS_COUNTRIES, ACCESS_NETWORKS_PER_COUNTRY, CONTENT_NETWORKS, SITE_BLOCKS } from './lab-address-plan.ts'
import type { Site, SiteGroup } from './site-group.ts'

/**
 * What a name is: on one server, on a pool, on a content network, with caches in access networks besides, also at another
 * host, one of several of the same owner, with a private address, without records, broken, or half so.
 */
export type DomainKind =
  | 'single'
  | 'rotating'
  | 'content'
  | 'cached'
  | 'moved'
  | 'related'
  | 'private'
  | 'dead'
  | 'failing'
  | 'half'

/** How many of a hundred names are of which kind; the rest is `single`. */
const SHARES: readonly (readonly [DomainKind, number])[] = [
  ['rotating', 18],
  ['content', 24],
  ['cached', 6],
  ['moved', 8],
  ['related', 6],
  ['private', 3],
  ['dead', 3],
  ['failing', 2],
  ['half', 2],
]
const POOL = 8
const OPERATORS = 4
/** Of two operators, both networks present the same certificate. */
const OPERATORS_WITH_ONE_LEAF = 2
const HOSTING_NETWORKS = 8
/** Country whose access networks hold caches. */
export const CACHE_COUNTRY = 'XQ'
/** What the pages of moved sites say; a false-positive signature knows them. */
export const QUOTING_TEXT = 'An article about pages that say: access to this site has been restricted'

/** A name. */
export interface PlannedDomain {
  readonly name: string
  readonly kind: DomainKind
  /** Where resolvers that tell the truth send most people; empty when there is no address. */
  readonly home: readonly string[]
  /** Where some people are rightly sent as well. */
  readonly elsewhere: readonly string[]
  /** Whether countries with censorship interfere with it. */
  readonly isCensored: boolean
}

/** Names and what serves them. */
export interface PlannedSites {
  readonly domains: readonly PlannedDomain[]
  readonly groups: readonly SiteGroup[]
}

/** Plans names and their servers. */
export function planDomains(seed: string, count: number): PlannedSites {
  const kinds = shuffle(createSeededRandom(`domains ${seed}`), listKinds(count))
  const places = new Map<DomainKind, number>()
  const groups: SiteGroup[] = []
  const contentSites = new Map<string, Map<string, Site>>()
  const domains = kinds.map((kind, index): PlannedDomain => {
    const place = places.get(kind) ?? 0
    places.set(kind, place + 1)
    const name = nameOf(kind, index, place)
    const hosted = `198.19.${SITE_BLOCKS.hosting + (index % HOSTING_NETWORKS)}`
    const domain = { name, kind, isCensored: isCensored(kind, place), elsewhere: [] as readonly string[] }
    const serve = (addresses: readonly string[]): readonly string[] => {
      const site = makeSite(name, `own ${name}`)
      groups.push({ addresses, sites: new Map([[name, site]]), fallback: site })
      return addresses
    }
    switch (kind) {
      case 'single':
      case 'half':
      case 'related':
        return { ...domain, home: serve([`${hosted}.${1 + index}`]) }
      case 'rotating':
        return {
          ...domain,
          home: serve(range(POOL).map((member) => addressInPool(index % HOSTING_NETWORKS, place, member))),
        }
      case 'moved':
        return {
          ...domain,
          home: serve([`${hosted}.${1 + index}`]),
          elsewhere: [sharedHost(place)],
        }
      case 'content':
      case 'cached':
        return { ...domain, ...placeOnContent(contentSites, kind, name, place) }
      case 'private':
        return { ...domain, home: [`10.20.${place}.30`] }
      case 'dead':
      case 'failing':
        return { ...domain, home: [] }
      default:
        return kind satisfies never
    }
  })
  const moved = domains.filter(({ kind }) => kind === 'moved')
  for (const host of new Set(moved.flatMap(({ elsewhere }) => elsewhere))) {
    const here = moved.filter(({ elsewhere }) => elsewhere.includes(host))
    const sites = here.map(({ name }) => [name, makeSite(name, `moved ${name}`, `${QUOTING_TEXT}: ${name}`)] as const)
    groups.push({
      addresses: [host],
      sites: new Map(sites),
      fallback: makeSite(`hosting-${host}.test`, `host ${host}`),
    })
  }
  for (const [network, sites] of contentSites) groups.push(planEdges(network, sites))
  return { domains, groups }
}

function listKinds(count: number): readonly DomainKind[] {
  const listed = SHARES.flatMap(([kind, share]) =>
    Array.from({ length: Math.max(2, Math.round((share * count) / 100)) }, () => kind),
  )
  const single = Array.from({ length: Math.max(0, count - listed.length) }, (): DomainKind => 'single')
  return [...listed, ...single].slice(0, count)
}

/** Related names share two owners, so that six of them are two registrable domains. */
function nameOf(kind: DomainKind, index: number, place: number): string {
  return kind === 'related' ? `shop-${index}.owner-${place % 2}.test` : `www.site-${index}.test`
}

function isCensored(kind: DomainKind, place: number): boolean {
  return (kind === 'single' || kind === 'rotating' || kind === 'content') && place % 2 === 0
}

/** Two shared hosts: one with a name like that of a content network. */
function sharedHost(place: number): string {
  const block =
    place % 4 === 3 ? SITE_BLOCKS.content + CONTENT_NETWORKS.length - 2 : SITE_BLOCKS.hosting + HOSTING_NETWORKS + 1
  return `198.19.${block}.250`
}

function addressInPool(network: number, place: number, member: number): string {
  return `198.19.${SITE_BLOCKS.hosting + HOSTING_NETWORKS * 2 + network}.${1 + ((place * POOL + member) % 250)}`
}

function addressesOfContent(network: number): readonly string[] {
  return range(4).map((host) => `198.19.${SITE_BLOCKS.content + network}.${10 + host}`)
}

/** Addresses of the caches in the access networks of one country. */
export function listCaches(): readonly string[] {
  const country = ACCESS_COUNTRIES.indexOf(CACHE_COUNTRY)
  return range(ACCESS_NETWORKS_PER_COUNTRY).map(
    (network) => `198.18.${200 + country * ACCESS_NETWORKS_PER_COUNTRY + network}.80`,
  )
}

/**
 * Servers of a content network, or a cache. Who names no site is shown the certificate of the network; the first cache has
 * that of the operator's other network, the second one that of the first network.
 */
function planEdges(network: string, sites: ReadonlyMap<string, Site>): SiteGroup {
  const cache = listCaches().findIndex((address) => network === `cache ${address}`)
  const leaf = cache < 0 ? network : String(1 - cache)
  return {
    addresses: cache < 0 ? addressesOfContent(Number(network)) : listCaches().slice(cache, cache + 1),
    sites,
    fallback: {
      certificate: { id: `edge ${leaf}`, names: [`edge-${leaf}.test`], isTrusted: true },
      page: makeSite(`edge-${network.replaceAll(/\W/g, '-')}.test`, '').page,
    },
  }
}

/** Puts a name on both networks of an operator, and into the caches. */
function placeOnContent(
  sites: Map<string, Map<string, Site>>,
  kind: DomainKind,
  name: string,
  place: number,
): { readonly home: readonly string[]; readonly elsewhere: readonly string[] } {
  const operator = kind === 'cached' ? 0 : place % OPERATORS
  const hasOneLeaf = operator < OPERATORS_WITH_ONE_LEAF
  const put = (network: string, site: Site): void => {
    const known = sites.get(network) ?? new Map<string, Site>()
    sites.set(network, known.set(name, site))
  }
  put(String(operator * 2), makeSite(name, `content ${name}`))
  const other = hasOneLeaf ? makeSite(name, `content ${name}`) : makeSite(name, `second ${name}`, null)
  if (kind === 'cached') {
    for (const cache of listCaches()) put(`cache ${cache}`, other)
    return { home: addressesOfContent(operator * 2), elsewhere: listCaches() }
  }
  put(String(operator * 2 + 1), other)
  return { home: addressesOfContent(operator * 2), elsewhere: addressesOfContent(operator * 2 + 1) }
}

/** @param text - What the page says beside its title; `null` for something else each time. */
function makeSite(name: string, leaf: string, text: string | null = 'Welcome'): Site {
  return {
    certificate: { id: leaf, names: [name], isTrusted: true },
    page: {
      status: 200,
      body: `<!doctype html>\n<title>${name}</title>\n<p>${text ?? 'Visitor '}</p>\n`,
      isDynamic: text === null,
    },
  }
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index)
}
