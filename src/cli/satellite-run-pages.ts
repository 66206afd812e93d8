/**
 * Pages and certificates for the stages `tag` and `fetch`: what the journal `fetch.jsonl` knows, and requests for the rest.
 *
 * **Invariant**: without consent nothing is fetched. One HTTP and one HTTPS request for each (address, domain) of a run,
 * whichever stage wants it. Addresses that are not public, or opted out by themselves or by their names, are left alone.
 */
import { fetchPages } from '../campaigns/satellite/fetch-pages.ts'
import { parseFields } from '../campaigns/satellite/pair-record.ts'
import { readFetch } from '../campaigns/satellite/read-evidence.ts'
import { writeFetch } from '../campaigns/satellite/write-evidence.ts'
import type { SatelliteFetch } from '../model/satellite-evidence.ts'
import { keepAll, mayAsk, readJournal, type SatelliteRun } from './satellite-run-context.ts'
import { findNames, isNameAllowed } from './satellite-run-names.ts'

const JOURNAL = 'fetch'
const TIMEOUT_MS = 10_000

/** An address, and the name that is told it; the empty one for none. */
export interface WantedPage {
  readonly address: string
  readonly domain: string
}

/** Fetches what is not fetched yet. @returns How many there were, and how many were refused. */
export async function fetchWanted(
  run: SatelliteRun,
  wanted: readonly WantedPage[],
): Promise<{ readonly fetched: number; readonly refused: number }> {
  if (run.isReplay) return { fetched: 0, refused: 0 }
  const done = new Set<string>()
  for await (const page of readPages(run)) done.add(keyOf(page))
  const left = wanted.filter((page) => !done.has(keyOf(page)))
  const open = left.filter(({ address }) => mayAsk(run, address))
  const addresses = [...new Set(open.map(({ address }) => address))]
  const names = run.optOut.hasNames ? await findNames(run, 'page-names', addresses) : undefined
  const allowed = open.filter(({ address }) => names === undefined || isNameAllowed(run, names, address))
  const { context, directory } = run
  run.display.enter('pages', wanted.length, wanted.length - left.length)
  const fetched = await keepAll(
    run,
    JOURNAL,
    writeAll(
      fetchPages(context, {
        pages: allowed,
        caps: directory.plan.caps,
        seed: directory.plan.seed,
        timeoutMs: TIMEOUT_MS,
        userAgent: `candor/${context.version}`,
        signal: context.interrupted,
      }),
    ),
  )
  return { fetched, refused: left.length - allowed.length }
}

/** Everything that was fetched, in the order of the journal; each (address, domain) once. */
export async function* readPages(run: SatelliteRun): AsyncGenerator<SatelliteFetch, void, void> {
  const seen = new Set<string>()
  for await (const line of readJournal(run, JOURNAL)) {
    const fields = parseFields(line)
    const page = fields === undefined ? undefined : readFetch(fields)
    if (page === undefined || seen.has(keyOf(page))) continue
    seen.add(keyOf(page))
    yield page
  }
}

/** One text for an address and a name. */
export function keyOf({ address, domain }: WantedPage): string {
  return `${address} ${domain}`
}

async function* writeAll(pages: AsyncIterable<SatelliteFetch>): AsyncGenerator<object, void, void> {
  for await (const page of pages) yield writeFetch(page)
}
