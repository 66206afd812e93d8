/** What is left of a fetch when its pages have been looked at: no body stays in memory. */
import type { SatelliteCertificate, SatelliteFetch, SatellitePage } from '../model/satellite-evidence.ts'
import { formatPageText, type MatchPage, type PageMatch } from './satellite-page-match.ts'

/** Facts about one address under one name. */
export interface FetchFacts {
  readonly certificate: SatelliteCertificate | null
  /** Why there was no handshake; `null` where there was one, or none was tried. */
  readonly tlsError: string | null
  /** What the signatures say; `null` without a page. */
  readonly page: PageMatch | null
}

/** Finds what stands at an address under a name; `undefined` where nobody looked. */
export type FindFetch = (address: string, domain: string) => FetchFacts | undefined

const NO_MATCH: PageMatch = { isBlockpage: null, fingerprint: null, stopped: [] }

/** Looks at both pages; the one over HTTP first, and what one of them is known for counts. @param matchPage - `undefined`: nobody has signatures. */
export function summarizeFetch(fetch: SatelliteFetch, matchPage: MatchPage | undefined): FetchFacts {
  const pages = [fetch.http, fetch.https].filter((page) => isPage(page))
  const matches = pages.map((page) => matchPage?.(formatPageText(page)) ?? NO_MATCH)
  const known =
    matches.find(({ isBlockpage }) => isBlockpage === true) ?? matches.find((match) => match.isBlockpage === false)
  const stopped = [...new Set(matches.flatMap((match) => match.stopped))]
  return {
    certificate: fetch.certificate,
    tlsError: fetch.certificate === null && fetch.https !== null && 'error' in fetch.https ? fetch.https.error : null,
    page: matches.length === 0 ? null : { ...(known ?? NO_MATCH), stopped },
  }
}

function isPage(page: SatellitePage | null): page is Exclude<SatellitePage, { readonly error: string }> {
  return page !== null && !('error' in page)
}
