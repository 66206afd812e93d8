/**
 * The stage `tag`: what is known about the addresses in answers, and where the resolvers are. AS and country come from tables
 * on the disk; pages and certificates from a file, or from the addresses themselves where the operator has permission.
 */
import { convertRecord } from '../campaigns/satellite/convert-record.ts'
import { locationOf } from '../campaigns/satellite/country-name.ts'
import { parseFields } from '../campaigns/satellite/pair-record.ts'
import { readTags } from '../campaigns/satellite/read-tags.ts'
import { MalformedRowError } from '../campaigns/satellite/row-fields.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import { hashOfPage } from '../campaigns/satellite/page-hash.ts'
import { writeFetch } from '../campaigns/satellite/write-evidence.ts'
import { canonicalIp, parseIp } from '../core/ip-address.ts'
import type { JsonFields, SatelliteTags } from '../model/satellite-row.ts'
import { listTestAnswers } from '../verdicts/satellite-test-answers.ts'
import type { StageOutcome } from './satellite-run-directory.ts'
import { readStageRecords, readStageRows, type SatelliteRun } from './satellite-run-context.ts'
import { fetchWanted, readPages, type WantedPage } from './satellite-run-pages.ts'
import { withStageTree, type SatelliteTree } from './satellite-tree.ts'

/** Tags. @throws {ConfigError | RunError | FileError} */
export async function runTagStage(run: SatelliteRun): Promise<StageOutcome> {
  const { directory, context } = run
  const addresses: string[] = []
  for await (const { response } of readStageRecords(run, 'addresses', 'query'))
    if (typeof response === 'string') addresses.push(response)
  const given = await readGivenTags(run)
  const outcome = directory.plan.may_fetch
    ? await fetchWanted(run, [...addresses.map((address) => ({ address, domain: '' })), ...(await listNamed(run))])
    : undefined
  const pages = new Map<string, Pick<SatelliteTags, 'http' | 'cert'>>()
  for await (const { address, domain, http, certificate } of readPages(run)) {
    if (domain === '') pages.set(address, { http: hashOfPage(http), cert: certificate?.sha256 ?? null })
  }
  await withStageTree(context.files, directory.path, async (tree) => {
    const path = formatScanPath('tags', directory.plan.format)
    await tree.touch(path)
    for (const address of addresses) {
      const tags = { ...ownerOf(run, address), ...pages.get(address), ...dropNothing(given.tags.get(address)) }
      await tree.write(path, convertRecord('tags', { ip: address, ...tags }, directory.plan.format))
    }
    await writeResolvers(run, tree)
    await writeFetches(run, tree)
  })
  return {
    counts: { addresses: addresses.length, tagged_by_file: given.tags.size, ...outcome },
    failures: { malformed_tags: given.malformed },
    ...(outcome === undefined ? {} : {}),
  }
}

/** Writes everything that was fetched as evidence. */
export async function writeFetches(run: SatelliteRun, tree: SatelliteTree): Promise<void> {
  const path = formatScanPath('fetches', run.directory.plan.format)
  await tree.touch(path)
  for await (const page of readPages(run)) await tree.write(path, writeFetch(page))
}

function ownerOf({ context }: SatelliteRun, address: string): SatelliteTags {
  const octets = parseIp(address)
  const owner = octets === undefined ? undefined : context.addressPlan.lookup(octets)
  return { http: null, cert: null, asname: owner?.asName ?? null, asnum: owner?.asn ?? null }
}

/** What a file does not say does not undo what is known. */
function dropNothing(tags: SatelliteTags | undefined): Partial<SatelliteTags> {
  return Object.fromEntries(Object.entries(tags ?? {}).filter(([, value]) => value !== null))
}

async function readGivenTags(
  run: SatelliteRun,
): Promise<{ readonly tags: ReadonlyMap<string, SatelliteTags>; readonly malformed: number }> {
  const tags = new Map<string, SatelliteTags>()
  let malformed = 0
  for (const line of (await run.directory.readInput('tags')).split('\n')) {
    if (line.trim() === '') continue
    const fields = parseFields(line)
    const address = typeof fields?.['ip'] === 'string' ? canonicalIp(fields['ip']) : undefined
    try {
      if (fields === undefined || address === undefined) malformed++
      else tags.set(address, readTags(fields))
    } catch (error) {
      if (!(error instanceof MalformedRowError)) throw error
      malformed++
    }
  }
  return { tags, malformed }
}

/**
 * Addresses that are asked for under a name: those of answers that no control resolver gave, and those of the control for the
 * same names, so that there is something to compare with.
 */
async function listNamed(run: SatelliteRun): Promise<readonly WantedPage[]> {
  const control = new Map<string, Set<string>>()
  for await (const row of readStageRows(run, 'control_response', 'query')) {
    const known = control.get(row.domain) ?? new Set()
    for (const { address } of listTestAnswers(row)) known.add(address)
    control.set(row.domain, known)
  }
  const others = new Map<string, Set<string>>()
  for await (const row of readStageRows(run, 'response', 'query')) {
    const known = control.get(row.domain)
    const unlike = listTestAnswers(row).filter(({ address }) => known?.has(address) !== true)
    if (unlike.length === 0) continue
    const found = others.get(row.domain) ?? new Set()
    for (const { address } of unlike) found.add(address)
    others.set(row.domain, found)
  }
  return [...others].flatMap(([domain, addresses]) =>
    [...addresses, ...(control.get(domain) ?? [])].map((address) => ({ address, domain })),
  )
}

async function writeResolvers(run: SatelliteRun, tree: SatelliteTree): Promise<void> {
  const { context, directory } = run
  const path = formatScanPath('tagged_resolvers', directory.plan.format)
  await tree.touch(path)
  for await (const { vp } of readStageRecords(run, 'resolvers', 'filter')) {
    const octets = typeof vp === 'string' ? parseIp(vp) : undefined
    if (octets === undefined) continue
    const { countryName, countryCode } = locationOf(context.addressPlan.lookup(octets)?.country ?? '')
    const fields: JsonFields =
      directory.plan.format === 'v1'
        ? { resolver: vp, country: countryName ?? '' }
        : { vp, location: { country_name: countryName ?? '', country_code: countryCode ?? '' } }
    await tree.write(path, fields)
  }
}
