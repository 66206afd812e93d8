/**
 * The hash of a page, for comparing pages.
 *
 * **Invariant**: pure. A body that was cut off, or that its server says is for one request alone, has none: it matches nothing.
 *
 * **Sources**: RFC 9111 section 5.2 (Cache-Control).
 */
import type { SatellitePage } from '../../model/satellite-evidence.ts'

/** Why the body of a page is not compared; `null` when it is, or when there is no page. */
export function whyNotCompared(page: SatellitePage | null): 'truncated' | 'dynamic' | null {
  if (page === null || 'error' in page) return null
  if (page.isTruncated) return 'truncated'
  const isDynamic = Object.entries(page.headers).some(
    ([name, values]) =>
      /^set-cookie$/i.test(name) ||
      (/^cache-control$/i.test(name) && /\b(?:no-store|private)\b/i.test(values.join(','))),
  )
  return isDynamic ? 'dynamic' : null
}

/** @returns `null` for what is not compared. */
export function hashOfPage(page: SatellitePage | null): string | null {
  if (page === null || 'error' in page || whyNotCompared(page) !== null) return null
  return page.bodySha256
}
