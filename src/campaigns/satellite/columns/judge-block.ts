/**
 * Judges the rows of a block as `verdicts/satellite-detect.ts` judges one row: what an answer shares with the control is
 * asked there once for each name and answer.
 *
 * **Invariant**: the verdict of every row equals that of the rule for one row; a test compares them.
 *
 * Rule: docs/detectors/satellite-detect.md
 */
import { HEAD, TRIAL, type ColumnBlock } from './column-block.ts'
import { ScanVocabulary, type JudgedAnswer, type JudgedName } from './scan-vocabulary.ts'
import { BlockWalk } from './walk-block.ts'

/** Bits of the verdict of a row. */
export const VERDICT = {
  /** Without this bit the row has no verdict. */
  judged: 0x1,
  anomaly: 0x2,
  passedLiveness: 0x4,
  inControlGroup: 0x8,
  connectError: 0x10,
  untaggedControls: 0x20,
  untaggedResponse: 0x40,
  excluded: 0x80,
  /** Reasons of at least one answer. */
  cdn: 0x100,
  belowThreshold: 0x200,
} as const

/** Bits of the reasons to exclude, of an answer. */
export const REASON = { cdn: 1, belowThreshold: 2 } as const

/** The verdicts about a block. */
export interface BlockVerdicts {
  /** {@link VERDICT}, per row. */
  readonly flags: Uint16Array
  /** Mean confidence, per row; NaN where the flavour has none. */
  readonly average: Float64Array
  /** What matched, per answer, as in the columns; 0 for answers to control queries. */
  readonly matched: Uint8Array
  /** {@link REASON}, per answer of an anomaly. */
  readonly reasons: Uint8Array
}

/** What an odd row gives: the rule for one row says it. */
export interface OddVerdict {
  readonly flags: number
  readonly average: number
}

/** Counts names per address among the anomalies, up to three. */
export class AddressDomains {
  #names = new Int32Array(3 * 65_536).fill(-1)

  /** Takes an answer of an anomaly. */
  add(address: number, name: number): void {
    if (address * 3 + 2 >= this.#names.length) this.#grow(address)
    for (let at = address * 3; at < address * 3 + 3; at++) {
      if (this.#names[at] === name) return
      if (this.#names[at] !== -1) continue
      this.#names[at] = name
      return
    }
  }

  /** Whether an address serves so few names that it stands in for nobody: one or two, or none. */
  isBelowThreshold(address: number): boolean {
    return (this.#names[address * 3 + 2] ?? -1) === -1
  }

  #grow(address: number): void {
    const larger = new Int32Array(Math.max(this.#names.length * 2, address * 3 + 3)).fill(-1)
    larger.set(this.#names)
    this.#names = larger
  }
}

/** What the rows of a block are judged with. */
export interface BlockJudge {
  readonly vocabulary: ScanVocabulary
  readonly domains: AddressDomains
  /** Whether rows that were judged before are judged again, or those that nobody has judged yet; others get no verdict. */
  readonly isAgain: boolean
  /** Judges the odd row at which the walk stands; `undefined` gives it no verdict. */
  readonly judgeOdd: (walk: BlockWalk) => OddVerdict | undefined
  /** Gives the {@link REASON}s of an odd anomaly. */
  readonly excludeOdd: (walk: BlockWalk) => number
}

/** Judges all rows of a block. @param part - Number of the part that the block is of. */
export function judgeBlock(
  block: ColumnBlock,
  part: number,
  { vocabulary, domains, isAgain, judgeOdd }: BlockJudge,
): BlockVerdicts {
  const { counts, columns } = block
  const verdicts: BlockVerdicts = {
    flags: new Uint16Array(counts.row),
    average: new Float64Array(counts.row),
    matched: new Uint8Array(counts.answer),
    reasons: new Uint8Array(counts.answer),
  }
  const names = vocabulary.nameOf[part] as Int32Array
  const answers = vocabulary.answerOf[part] as Int32Array
  for (const walk = new BlockWalk(); walk.row < counts.row; walk.pass(block)) {
    const { row } = walk
    if (columns.head[row] === 0) {
      const odd = judgeOdd(walk)
      verdicts.flags[row] = odd?.flags ?? 0
      verdicts.average[row] = odd?.average ?? Number.NaN
      continue
    }
    if ((((columns.head[row] as number) & HEAD.anomaly) !== 0) !== isAgain) {
      verdicts.average[row] = Number.NaN
      continue
    }
    const name = names[columns.name[row] as number] as number
    const flags = judgeRow(block, walk, name, names, answers, vocabulary, verdicts)
    verdicts.flags[row] = flags
    if ((flags & VERDICT.anomaly) === 0) continue
    forTestAnswers(block, walk, name, names, (answer) => {
      const { addressId } = vocabulary.answers[answers[columns.answer[answer] as number] as number] as JudgedAnswer
      domains.add(addressId, name)
    })
  }
  return verdicts
}

/** Goes through the places of the answers to the name of the row. */
export function forTestAnswers(
  { columns }: ColumnBlock,
  walk: BlockWalk,
  name: number,
  names: Int32Array,
  each: (answer: number) => void,
): void {
  let { answer } = walk
  const end = walk.trial + (columns.trials[walk.row] as number)
  for (let trial = walk.trial; trial < end; trial++) {
    const count = columns.answers[trial] as number
    if (names[columns.trialName[trial] as number] === name) for (let at = answer; at < answer + count; at++) each(at)
    answer += count
  }
}

function judgeRow(
  { columns }: ColumnBlock,
  walk: BlockWalk,
  name: number,
  names: Int32Array,
  answerIds: Int32Array,
  vocabulary: ScanVocabulary,
  verdicts: BlockVerdicts,
): number {
  const { row } = walk
  const { isInControlGroup, hasControlTags } = vocabulary.names[name] as JudgedName
  const trials = columns.trials[row] as number
  let { answer } = walk
  let controls = 0
  let failedControls = 0
  let isConnectError = true
  let hasOverlap = false
  let hasTags = false
  let count = 0
  let sum = 0
  for (let trial = walk.trial; trial < walk.trial + trials; trial++) {
    const given = columns.answers[trial] as number
    if (names[columns.trialName[trial] as number] !== name) {
      controls++
      if (((columns.trialFlags[trial] as number) & TRIAL.hasTypeA) === 0) failedControls++
      answer += given
      continue
    }
    if (columns.rcode[trial] !== 32_767) isConnectError = false
    for (const end = answer + given; answer < end; answer++) {
      const id = answerIds[columns.answer[answer] as number] as number
      const match = vocabulary.match(name, id)
      const bits = ScanVocabulary.bitsOf(match)
      verdicts.matched[answer] = bits
      sum += vocabulary.confidenceOf(match)
      count++
      // Everything but `no_tags`.
      if ((bits & ~2) !== 0) hasOverlap = true
      if ((vocabulary.answers[id] as JudgedAnswer).isTagged) hasTags = true
    }
  }
  verdicts.average[row] = count === 0 ? 0 : sum / count
  const hasPassed = hasPassedLiveness(columns.head[row] as number, trials, controls, failedControls)
  const isUntagged = count > 0 && !hasTags
  const isAnomaly = hasPassed && isInControlGroup && !hasOverlap && hasControlTags && !isUntagged
  return (
    VERDICT.judged |
    (isAnomaly ? VERDICT.anomaly : 0) |
    (hasPassed ? VERDICT.passedLiveness : 0) |
    (isInControlGroup ? VERDICT.inControlGroup : 0) |
    (isConnectError ? VERDICT.connectError : 0) |
    (hasControlTags ? 0 : VERDICT.untaggedControls) |
    (isUntagged ? VERDICT.untaggedResponse : 0)
  )
}

/** False if the first control query failed and nothing was asked after it, or if both failed. */
function hasPassedLiveness(head: number, trials: number, controls: number, failed: number): boolean {
  if (controls > 0) return controls < trials ? failed < 2 : failed === 0
  const isSaid = (head & (HEAD.passed_liveness | HEAD.passed_control)) !== 0
  return isSaid ? (head & HEAD.hasPassed) !== 0 : trials > 0
}

/**
 * Gives anomalies their reasons to exclude, as `verdicts/satellite-verify.ts` does, when the names of the whole scan are
 * counted.
 */
export function excludeBlock(
  block: ColumnBlock,
  part: number,
  { vocabulary, domains, excludeOdd }: BlockJudge,
  { flags, reasons }: Pick<BlockVerdicts, 'flags' | 'reasons'>,
): void {
  const names = vocabulary.nameOf[part] as Int32Array
  const answers = vocabulary.answerOf[part] as Int32Array
  for (const walk = new BlockWalk(); walk.row < block.counts.row; walk.pass(block)) {
    const { row } = walk
    if (((flags[row] as number) & VERDICT.anomaly) === 0) continue
    let all = 0
    if (block.columns.head[row] === 0) all = excludeOdd(walk)
    else {
      const name = names[block.columns.name[row] as number] as number
      forTestAnswers(block, walk, name, names, (at) => {
        const answer = vocabulary.answers[answers[block.columns.answer[at] as number] as number] as JudgedAnswer
        const bits =
          (answer.isCdn ? REASON.cdn : 0) | (domains.isBelowThreshold(answer.addressId) ? REASON.belowThreshold : 0)
        reasons[at] = bits
        all |= bits
      })
    }
    flags[row] = (flags[row] as number) | (all === 0 ? 0 : VERDICT.excluded | (all << 8))
  }
}
