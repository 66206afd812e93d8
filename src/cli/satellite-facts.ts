/** Gathers what a scan says beside its rows, in a pass of its own. */
import { MalformedRowError } from '../campaigns/satellite/row-fields.ts'
import { createScanFacts, holdsFacts, type ScanFacts } from '../campaigns/satellite/scan-facts.ts'
import type { MatchPage } from '../verdicts/satellite-page-match.ts'
import type { CliContext } from './cli-context.ts'
import { QUARANTINE_FILE, walkScan, type ScanFileSummary } from './satellite-scan.ts'
import type { SatelliteTree } from './satellite-tree.ts'

/** Facts, and the files that they came from. */
export interface GatheredFacts {
  readonly facts: ScanFacts
  readonly summaries: readonly ScanFileSummary[]
}

/**
 * Reads tags, resolvers, control responses and pages.
 *
 * @param tree - Gets `quarantine.jsonl`; `undefined` for nobody.
 * @param matchPage - Tells what a page is; `undefined` without signatures.
 */
export async function gatherFacts(
  context: CliContext,
  path: string,
  tree: SatelliteTree | undefined,
  matchPage: MatchPage | undefined,
): Promise<GatheredFacts> {
  const facts = createScanFacts(matchPage)
  const summaries = await walkScan({
    context,
    path,
    tree,
    wants: holdsFacts,
    onRecord: async (record, file) => {
      try {
        facts.take(record)
      } catch (error) {
        if (!(error instanceof MalformedRowError)) throw error
        await tree?.write(QUARANTINE_FILE, { file, line: record.line, reason: error.message })
        return 'quarantined'
      }
      return undefined
    },
  })
  return { facts, summaries }
}
