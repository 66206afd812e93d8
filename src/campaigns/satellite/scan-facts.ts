/**
 * What a scan says beside its rows: tags of addresses, what is known of resolvers, answers of the control resolvers, and what
 * the pages at addresses are.
 *
 * **Invariant**: grows with addresses, resolvers and names, not with rows.
 */
import type { SatelliteFetch } from '../../model/satellite-evidence.ts'
import type { JsonFields, SatelliteLocation, SatelliteRow, SatelliteTags } from '../../model/satellite-row.ts'
import { createControlSets, type ControlSet, type FindTags } from '../../verdicts/satellite-control.ts'
import { createCdnCertificates } from '../../verdicts/satellite-cdn.ts'
import { summarizeFetch, type FetchFacts, type FindFetch } from '../../verdicts/satellite-fetch-facts.ts'
import type { MatchPage } from '../../verdicts/satellite-page-match.ts'
import { readFetch } from './read-evidence.ts'
import { readPageRecord } from './read-page-record.ts'
import { readTags } from './read-tags.ts'
import { MalformedRowError, takeLocation, takeNumber } from './row-fields.ts'
import type { ScanFileKind } from './scan-file-names.ts'
import type { ScanRecord } from './read-scan.ts'

/** What a scan says of a resolver. */
export interface ResolverFacts {
  readonly location: SatelliteLocation | null
  readonly asnum: number | null
  /** Who asks the authoritative servers on its behalf. */
  readonly upstream: string | null
  /** Whether it is an address where no resolver is. */
  readonly isNonResolver: boolean
}

/** The facts while they are gathered. */
export interface ScanFacts {
  /** Takes a record of any kind; what is no fact of these is left. @throws {MalformedRowError} For malformed tags and pages. */
  take(record: ScanRecord): void
  readonly findTags: FindTags
  readonly findFetch: FindFetch
  findResolver(address: string): ResolverFacts | undefined
  /** The content network in which a certificate was seen. */
  readonly findCdnCertificate: (cert: string) => string | undefined
  /** Signatures that were stopped on some page, and on how many. */
  readonly stoppedSignatures: ReadonlyMap<string, number>
  /** The control of a name; the latest ones are remembered. */
  readonly findControl: (domain: string) => ControlSet
  /** The row with the country of its resolver, where it had none. */
  locate(row: SatelliteRow): SatelliteRow
}

/** Control sets that are kept ready: rows come in the order of names or of resolvers. */
const READY_SETS_MAX = 20_000

const FACTS: ReadonlySet<ScanFileKind> = new Set<ScanFileKind>([
  'tags',
  'tagged_resolvers',
  'resolvers',
  'control_response',
  'pages',
  'control_pages',
  'fetches',
  'upstreams',
])
/** What the second mode calls an address in `resolvers.json`. */
const NON_RESOLVER = 'non-resolver'

/** Kinds of files that hold facts. */
export function holdsFacts(kind: ScanFileKind): boolean {
  return FACTS.has(kind)
}

/** Begins with none. @param matchPage - Tells what a page is; without it pages are left as they are. */
export function createScanFacts(matchPage?: MatchPage): ScanFacts {
  const tags = new Map<string, SatelliteTags>()
  const resolvers = new Map<string, ResolverFacts>()
  const fetches = new Map<string, FetchFacts>()
  const stopped = new Map<string, number>()
  const cdn = createCdnCertificates()
  const controls = createControlSets()
  const ready = new Map<string, ControlSet>()
  const findTags = (address: string): SatelliteTags | undefined => tags.get(address)
  const takeFetch = (fetch: SatelliteFetch): void => {
    const facts = summarizeFetch(fetch, matchPage)
    fetches.set(`${fetch.address} ${fetch.domain}`, facts)
    for (const name of facts.page?.stopped ?? []) stopped.set(name, (stopped.get(name) ?? 0) + 1)
  }
  // Ours say more of the same page, in whichever order the files come.
  const takePage = (page: SatelliteFetch): void => {
    if (!fetches.has(`${page.address} ${page.domain}`)) takeFetch(page)
  }
  return {
    take: (record) => {
      if (record.type === 'row') {
        if (record.row.role === 'control_response') controls.add(record.row)
      } else if (record.type === 'record') {
        if (record.kind === 'tags') takeTags(record.fields, tags, cdn)
        else if (record.kind === 'fetches') takeFetch(needFetch(record.fields))
        else if (record.kind === 'pages' || record.kind === 'control_pages') takePage(readPageRecord(record.fields))
        else if (holdsFacts(record.kind)) takeResolver(record.fields, resolvers)
      }
    },
    findTags,
    findFetch: (address, domain) => fetches.get(`${address} ${domain}`),
    findResolver: (address) => resolvers.get(address),
    findCdnCertificate: cdn.find,
    stoppedSignatures: stopped,
    findControl: (domain) => {
      const known = ready.get(domain)
      if (known !== undefined) return known
      const found = controls.find(domain, findTags)
      if (ready.size >= READY_SETS_MAX) ready.clear()
      ready.set(domain, found)
      return found
    },
    locate: (row) => {
      const location = row.location ?? resolvers.get(row.resolver)?.location ?? null
      return location === row.location ? row : { ...row, location }
    },
  }
}

function needFetch(fields: JsonFields): SatelliteFetch {
  const fetch = readFetch(fields)
  if (fetch === undefined) throw new MalformedRowError('the line is no fetch')
  return fetch
}

function takeTags(fields: JsonFields, tags: Map<string, SatelliteTags>, cdn: { add(tags: SatelliteTags): void }): void {
  const address = fields['ip']
  if (typeof address !== 'string') return
  const read = readTags(fields)
  tags.set(address, read)
  cdn.add(read)
}

/** Several files speak of a resolver; what one of them does not say stays. */
function takeResolver(fields: JsonFields, resolvers: Map<string, ResolverFacts>): void {
  const resolver = fields['vp'] ?? fields['resolver']
  if (typeof resolver !== 'string') return
  const known = resolvers.get(resolver)
  const { country, upstream, name } = fields
  const location = typeof country === 'string' ? { countryName: country, countryCode: null } : takeLocation(fields)
  resolvers.set(resolver, {
    location: (location?.countryCode ?? null) === null ? (known?.location ?? location) : location,
    asnum: takeNumber(fields, 'asnum') ?? known?.asnum ?? null,
    upstream: typeof upstream === 'string' && upstream !== '' ? upstream : (known?.upstream ?? null),
    isNonResolver: name === NON_RESOLVER || known?.isNonResolver === true,
  })
}
