/**
 * The list of published runs: `files.json` for readers who want the newest, `files-all.json` for all.
 *
 * **Invariant**: names only what the directory holds, as a file or compressed; parts of a run are no runs.
 *
 * Format: docs/formats/exits.md
 */

/** Names in `files.json`. */
const NEWEST_MAX = 100

/** Names of reports, newest first. */
export interface Manifest {
  readonly newest: readonly string[]
  readonly all: readonly string[]
}

/**
 * Builds the manifest of a directory.
 *
 * @param names - Every name in it, in any order. Reports are `dnshealth_YYYYMMDD_HHMMSS.json` and the older
 *   `dns_health_YYYY-MM-DD_HH-MM-SS.json`; with `.gz` behind they still answer under the name without.
 */
export function buildManifest(names: readonly string[]): Manifest {
  const moments = new Map<string, string>()
  for (const name of names) {
    const published = name.replace(/\.gz$/, '')
    const moment = parseReportMoment(published)
    if (moment !== undefined) moments.set(published, moment)
  }
  const all = [...moments]
    .toSorted(([nameA, a], [nameB, b]) => (a === b ? compare(nameB, nameA) : compare(b, a)))
    .map(([name]) => name)
  return { newest: all.slice(0, NEWEST_MAX), all }
}

/** @returns The 14 digits in the name of a report of a whole run; `undefined` for any other name. */
export function parseReportMoment(name: string): string | undefined {
  const match =
    /^dnshealth_(\d{8})_(\d{6})\.json$/.exec(name) ??
    /^dns_health_(\d{4}-\d\d-\d\d|\d{8})_(\d\d-\d\d-\d\d|\d{6})\.json$/.exec(name)
  return match === null ? undefined : `${match[1]}${match[2]}`.replaceAll('-', '')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
