/**
 * What a page is, by lists of signatures: a known block page, a page that only looks so, or unknown.
 *
 * **Invariant**: pages that only look so (false positives) are told first; then the first signature of the file counts. A
 * signature that took too long is named in what comes back.
 *
 * Rule: docs/detectors/satellite-blockpage.md
 */
import type { CreatePatternSearch } from '../core/pattern-search.ts'
import type { SatellitePage } from '../model/satellite-evidence.ts'
import type { PageSignature } from './satellite-signatures.ts'

/** What a page is. */
export interface PageMatch {
  /** `null`: no signature knows it. */
  readonly isBlockpage: boolean | null
  /** Of the signature that was found. */
  readonly fingerprint: string | null
  /** Fingerprints of signatures that were stopped. */
  readonly stopped: readonly string[]
}

/** Tells what a page is. */
export type MatchPage = (text: string) => PageMatch

/** One page stands at many addresses; so many different ones are remembered. */
const KNOWN_MAX = 256

/** Prepares both lists: false positives are searched first. */
export function createPageMatcher(
  falsePositives: readonly PageSignature[],
  blockpages: readonly PageSignature[],
  createSearch: CreatePatternSearch,
): MatchPage {
  const all = [...falsePositives, ...blockpages]
  const search = createSearch(all.map(({ pattern }) => pattern))
  const known = new Map<string, PageMatch>()
  const match: MatchPage = (text) => {
    const { found, stopped } = search.findFirst(text)
    return {
      isBlockpage: found === null ? null : found >= falsePositives.length,
      fingerprint: found === null ? null : (all[found]?.fingerprint ?? null),
      stopped: stopped.flatMap((at) => all[at]?.fingerprint ?? []),
    }
  }
  return (text) => {
    const earlier = known.get(text)
    if (earlier !== undefined) return earlier
    const found = match(text)
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(text, found)
    return found
  }
}

/** The text that signatures are made for: status line, headers, an empty line, body. */
export function formatPageText(page: Exclude<SatellitePage, { readonly error: string }>): string {
  const headers = Object.entries(page.headers).flatMap(([name, values]) =>
    values.map((value) => `${name}: ${value}\r\n`),
  )
  return `${page.statusLine}\r\n${headers.join('')}\r\n${page.body}`
}
