/**
 * Draws rows of an import that was judged, and compares their verdict columns with the rules for one row.
 *
 *   node bench/check-judged-scan.ts IMPORT ROWS SEED
 *
 * Names per address are counted by the slow counter over every row that the columns call an anomaly. Reads the verdict
 * columns by their documented layout, not by the code that wrote them.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { formatColumnRow, type PartTexts } from '../src/campaigns/satellite/columns/format-column-row.ts'
import { openImported } from '../src/campaigns/satellite/columns/open-imported.ts'
import { openColumns } from '../src/campaigns/satellite/columns/read-columns.ts'
import type { BlockPlace } from '../src/campaigns/satellite/columns/columns-manifest.ts'
import { BlockWalk } from '../src/campaigns/satellite/columns/walk-block.ts'
import { readScanFile, readScanLine } from '../src/campaigns/satellite/read-scan.ts'
import { createScanFacts, holdsFacts } from '../src/campaigns/satellite/scan-facts.ts'
import { createSeededRandom, randomInt } from '../src/core/random.ts'
import type { SatelliteRow } from '../src/model/satellite-row.ts'
import { nodeFiles } from '../src/platform/node-files.ts'
import { judgePair } from '../src/verdicts/satellite-detect.ts'
import { listTestAnswers } from '../src/verdicts/satellite-test-answers.ts'
import { createAnomalyDomains, listExcludeReasons } from '../src/verdicts/satellite-verify.ts'

const [directory = '', count = '10000', seed = '1'] = process.argv.slice(2)
const ITEMS = ['ip', 'no_tags', 'http', 'cert', 'asnum', 'asname']

interface Drawn {
  readonly row: SatelliteRow
  readonly flags: number
  readonly average: number
  /** `undefined` for an odd row, which has no octets for its addresses. */
  readonly matched: Uint8Array | undefined
  readonly reasons: Uint8Array
}

const facts = createScanFacts(undefined)
for await (const file of openImported(nodeFiles, directory))
  if (holdsFacts(file.kind)) for await (const record of readScanFile(file)) facts.take(record)

const columns = await openColumns(nodeFiles, directory)
const manifest = JSON.parse(readFileSync(join(directory, 'verdicts.json'), 'utf8')) as {
  readonly rows: number
  readonly blocks: readonly { readonly block: number; readonly matches: number; readonly flags: number }[]
}
const random = createSeededRandom(seed)
const wanted = new Set<number>()
while (wanted.size < Math.min(Number(count), manifest.rows)) wanted.add(randomInt(random, manifest.rows))

const domains = createAnomalyDomains()
const drawn: Drawn[] = []
let anomalies = 0
let first = 0
const files = [
  openSync(join(directory, 'columns/verdicts.matches.bin'), 'r'),
  openSync(join(directory, 'columns/verdicts.flags.bin'), 'r'),
]
for (const { block: number, matches, flags: flagsAt } of manifest.blocks) {
  const place = columns.manifest.blocks[number] as BlockPlace
  const { row: rows, answer: answers } = place.counts
  const average = new Float64Array(readPart(0, matches, rows * 8).buffer)
  const matched = readPart(0, matches + rows * 8, answers)
  const flags = new Uint16Array(readPart(1, flagsAt, rows * 2).buffer)
  const reasons = readPart(1, flagsAt + rows * 2, answers)
  const block = await columns.read(place)
  for (const walk = new BlockWalk(); walk.row < rows;) {
    const at = walk.row
    const isAnomaly = ((flags[at] as number) & 2) !== 0
    const isWanted = wanted.has(first + at)
    const answer = walk.answer
    const text = isAnomaly || isWanted ? formatColumnRow(block, columns.parts[place.part] as PartTexts, walk) : ''
    walk.pass(block)
    if (text === '') continue
    const content = readScanLine(columns.fileOf(place).kind, text)
    if (content.type !== 'row') throw new Error('a row of the import cannot be read')
    const row = judgePair(facts.locate(content.row), facts.findControl(content.row.domain), facts.findTags)
    if (isAnomaly) {
      domains.add(row)
      anomalies++
    }
    if (!isWanted) continue
    drawn.push({
      row,
      flags: flags[at] as number,
      average: average[at] as number,
      matched: block.columns.head[at] === 0 ? undefined : matched.slice(answer, walk.answer),
      reasons: reasons.slice(answer, walk.answer),
    })
  }
  first += rows
}
for (const file of files) closeSync(file)
const different = drawn.filter((each) => !isEqual(each))
process.stdout.write(
  `${JSON.stringify({ drawn: drawn.length, different: different.length, anomalies, rows: first })}\n`,
)
if (different.length > 0) process.exitCode = 1

function isEqual({ row, flags, average, matched, reasons }: Drawn): boolean {
  const given = listExcludeReasons(row, domains, facts.findTags, 'anywhere')
  const expected =
    1 |
    (row.anomaly === true ? 2 : 0) |
    (row.passedLiveness === true ? 4 : 0) |
    (row.inControlGroup === true ? 8 : 0) |
    (row.connectError === true ? 16 : 0) |
    (row.confidence?.untaggedControls === true ? 32 : 0) |
    (row.confidence?.untaggedResponse === true ? 64 : 0) |
    (given.length > 0 ? 128 : 0) |
    (given.includes('is_CDN') ? 256 : 0) |
    (given.includes('domain_below_threshold') ? 512 : 0)
  if (flags !== expected || average !== row.confidence?.average) return false
  if (matched === undefined) return true
  const texts = [...reasons].flatMap((bits) => [
    ...((bits & 1) === 0 ? [] : ['is_CDN']),
    ...((bits & 2) === 0 ? [] : ['domain_below_threshold']),
  ])
  // Addresses of control queries are not judged.
  const isTest = row.trials.flatMap(({ purpose, answers }) => answers.map(() => purpose === 'test'))
  const found = [...matched]
    .filter((_bits, at) => isTest[at])
    .map((bits) => ITEMS.filter((_item, bit) => (bits & (1 << bit)) !== 0).join())
  const literal = listTestAnswers(row).map((answer) => (answer.matched ?? []).join())
  return texts.join() === given.join() && found.join(' ') === literal.join(' ')
}

function readPart(file: number, at: number, octets: number): Uint8Array<ArrayBuffer> {
  const part = new Uint8Array(octets)
  if (readSync(files[file] as number, part, 0, octets, at) !== octets)
    throw new Error('the verdict columns are cut off')
  return part
}
