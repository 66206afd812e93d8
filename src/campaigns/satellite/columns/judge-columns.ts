/**
 * Detect and verify over a whole import: two passes over its columns.
 *
 * **Invariant**: one block in memory at a time; beside it grows what grows with names and addresses, and two octets per row.
 */
import type { AnomalyDomains, CdnMatch } from '../../../verdicts/satellite-verify.ts'
import { listExcludeReasons } from '../../../verdicts/satellite-verify.ts'
import { judgePair } from '../../../verdicts/satellite-detect.ts'
import { listTestAnswers } from '../../../verdicts/satellite-test-answers.ts'
import type { Files } from '../../../core/files.ts'
import type { SatelliteRow } from '../../../model/satellite-row.ts'
import { readScanLine } from '../read-scan.ts'
import type { ScanFacts } from '../scan-facts.ts'
import type { ScanFileKind } from '../scan-file-names.ts'
import type { ColumnBlock } from './column-block.ts'
import type { BlockPlace } from './columns-manifest.ts'
import { formatColumnRow, type PartTexts } from './format-column-row.ts'
import { AddressDomains, excludeBlock, judgeBlock, REASON, VERDICT, type BlockJudge } from './judge-block.ts'
import type { ImportedColumns } from './read-columns.ts'
import { ScanVocabulary } from './scan-vocabulary.ts'
import { createVerdictFiles, type VerdictCounts, type VerdictFiles, type VerdictPlace } from './verdict-files.ts'
import type { BlockWalk } from './walk-block.ts'

/** Files whose rows are judged: the first kind that an import has. */
const JUDGED_KINDS: readonly ScanFileKind[] = ['response', 'result', 'verified']

/** What judged an import. */
export interface ColumnsJudge {
  readonly vocabulary: ScanVocabulary
  readonly files: VerdictFiles
  readonly places: readonly VerdictPlace[]
  readonly counts: VerdictCounts
  /** The rule for one row, for what no column holds: the row at which the walk stands, judged. */
  judgeOne(block: ColumnBlock, place: BlockPlace, walk: BlockWalk): SatelliteRow | undefined
  /** Its reasons to exclude. */
  listReasons(row: SatelliteRow): readonly string[]
}

/**
 * Writes the verdict columns of an import. The caller closes the files.
 *
 * @param isStopped - Asked between two blocks; then there are no verdicts.
 * @throws {RunError | FileError}
 */
export async function judgeColumns(
  files: Files,
  directory: string,
  columns: ImportedColumns,
  facts: ScanFacts,
  match: CdnMatch,
  isStopped: () => boolean,
): Promise<ColumnsJudge | undefined> {
  const kind = JUDGED_KINDS.find((each) => columns.manifest.blocks.some((place) => columns.fileOf(place).kind === each))
  const vocabulary = new ScanVocabulary(columns.parts, { ...facts, cdnMatch: match })
  const domains = new AddressDomains()
  const counter: Pick<AnomalyDomains, 'count'> = {
    count: (address) => (domains.isBelowThreshold(vocabulary.addressId(address)) ? 0 : 3),
  }
  const judgeOne: ColumnsJudge['judgeOne'] = (block, place, walk) => {
    const text = formatColumnRow(block, columns.parts[place.part] as PartTexts, walk)
    const content = readScanLine(columns.fileOf(place).kind, text)
    if (content.type !== 'row' || (content.row.role === 'response') !== (kind === 'response')) return undefined
    if (content.row.role === 'no_answer' || content.row.role === 'no_control') return undefined
    return judgePair(facts.locate(content.row), facts.findControl(content.row.domain), facts.findTags)
  }
  const listReasons = (row: SatelliteRow): readonly string[] => listExcludeReasons(row, counter, facts.findTags, match)
  const judgeOf = (block: ColumnBlock, place: BlockPlace): BlockJudge => ({
    vocabulary,
    domains,
    isAgain: kind !== 'response',
    judgeOdd: (walk) => {
      const row = judgeOne(block, place, walk)
      if (row === undefined) return undefined
      if (row.anomaly === true)
        for (const { address } of listTestAnswers(row))
          domains.add(vocabulary.addressId(address), vocabulary.nameId(row.domain))
      return { flags: flagsOf(row), average: row.confidence?.average ?? Number.NaN }
    },
    excludeOdd: (walk) => {
      const row = judgeOne(block, place, walk)
      const reasons = row === undefined ? [] : listReasons(row)
      return (
        (reasons.includes('is_CDN') ? REASON.cdn : 0) |
        (reasons.includes('domain_below_threshold') ? REASON.belowThreshold : 0)
      )
    },
  })
  const verdicts = await createVerdictFiles(files, directory)
  const judged: { readonly block: number; readonly matchesAt: number; readonly flags: Uint16Array }[] = []
  for (const [number, place] of columns.manifest.blocks.entries()) {
    if (columns.fileOf(place).kind !== kind) continue
    if (isStopped()) return undefined
    const block = await columns.read(place)
    const given = judgeBlock(block, place.part, judgeOf(block, place))
    judged.push({ block: number, matchesAt: await verdicts.appendMatches(given), flags: given.flags })
  }
  const places: VerdictPlace[] = []
  for (const { block: number, matchesAt, flags } of judged) {
    if (isStopped()) return undefined
    const place = columns.manifest.blocks[number] as BlockPlace
    const block = await columns.read(place)
    const reasons = new Uint8Array(place.counts.answer)
    excludeBlock(block, place.part, judgeOf(block, place), { flags, reasons })
    places.push({ block: number, matchesAt, flagsAt: await verdicts.appendFlags({ flags, reasons }) })
  }
  const counts = countVerdicts(judged.map(({ flags }) => flags))
  await verdicts.finish(places, match, counts)
  return { vocabulary, files: verdicts, places, counts, judgeOne, listReasons }
}

function flagsOf(row: SatelliteRow): number {
  if (row.anomaly === null) return 0
  return (
    VERDICT.judged |
    (row.anomaly ? VERDICT.anomaly : 0) |
    (row.passedLiveness === true ? VERDICT.passedLiveness : 0) |
    (row.inControlGroup === true ? VERDICT.inControlGroup : 0) |
    (row.connectError === true ? VERDICT.connectError : 0) |
    (row.confidence?.untaggedControls === true ? VERDICT.untaggedControls : 0) |
    (row.confidence?.untaggedResponse === true ? VERDICT.untaggedResponse : 0)
  )
}

function countVerdicts(all: readonly Uint16Array[]): VerdictCounts {
  let [rows, judged, anomalies, excluded] = [0, 0, 0, 0]
  for (const flags of all) {
    rows += flags.length
    for (let at = 0; at < flags.length; at++) {
      const bits = flags[at] as number
      if ((bits & VERDICT.judged) !== 0) judged++
      if ((bits & VERDICT.anomaly) !== 0) anomalies++
      if ((bits & VERDICT.excluded) !== 0) excluded++
    }
  }
  return { rows, judged, anomalies, excluded }
}
