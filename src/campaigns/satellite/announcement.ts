/**
 * The announcement of a scan, as JSON and as a page.
 *
 * **Invariant**: pure; what people write is escaped in the page.
 */
import type { JsonFields } from '../../model/satellite-row.ts'

/** What is announced. */
export interface Announcement {
  /** ISO 8601 UTC. */
  readonly announcedAt: string
  /** ISO 8601 UTC. */
  readonly startsAfter: string
  /** How to reach whoever scans, and how not to be scanned. */
  readonly contact: string
  /** The name that is asked for. */
  readonly name: string
  /** Queries per second at most. */
  readonly perResolver: number
  /** Prefixes and addresses. */
  readonly ranges: readonly string[]
}

/** Both forms. */
export function formatAnnouncement(announcement: Announcement): { readonly json: string; readonly html: string } {
  const { announcedAt, startsAfter, contact, name, perResolver, ranges } = announcement
  const fields = {
    announced_at: announcedAt,
    starts_after: startsAfter,
    contact,
    name,
    per_resolver: perResolver,
    ranges,
  }
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Announcement of a DNS scan</title>
<h1>Announcement of a DNS scan</h1>
<p>After <time datetime="${escape(startsAfter)}">${escape(startsAfter)}</time> we ask the addresses below one DNS question each,
for the name <code>${escape(name)}</code>, to find resolvers that answer everybody. Those of them that belong to
infrastructure are then asked for names of web sites, at most ${perResolver} questions a second each.</p>
<p>Who does not want to be asked: ${escape(contact)}</p>
<h2>Addresses</h2>
<ul>
${ranges.map((range) => `<li>${escape(range)}</li>`).join('\n')}
</ul>
</html>
`
  return { json: `${JSON.stringify(fields, null, 2)}\n`, html }
}

/** @returns `undefined` when the object is no announcement. */
export function readAnnouncement(fields: JsonFields): Announcement | undefined {
  const {
    announced_at: announcedAt,
    starts_after: startsAfter,
    contact,
    name,
    per_resolver: perResolver,
    ranges,
  } = fields
  if (typeof announcedAt !== 'string' || typeof startsAfter !== 'string' || typeof contact !== 'string')
    return undefined
  if (typeof name !== 'string' || typeof perResolver !== 'number' || !Array.isArray(ranges)) return undefined
  const texts = ranges.filter((range) => typeof range === 'string')
  return { announcedAt, startsAfter, contact, name, perResolver, ranges: texts }
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}
