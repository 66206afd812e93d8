/**
 * Writes judged rows of columns as v2.2 has them, without making a row of each.
 *
 * **Invariant**: the line is equal, field by field, to what the writer of one row gives for the same verdict.
 */
import type { SatelliteAnswer, SatelliteLocation } from '../../../model/satellite-row.ts'
import { writeEmptyableTags, writeLocation } from '../common-fields.ts'
import { convertRow } from '../convert-row.ts'
import { takeLocation } from '../row-fields.ts'
import { HEAD, MATCHED_NULL, TRIAL, type ColumnBlock } from './column-block.ts'
import type { BlockPlace } from './columns-manifest.ts'
import { formatMatched, formatMoment, takeError, type PartTexts, type Places } from './format-column-row.ts'
import { REASON, VERDICT, type BlockVerdicts } from './judge-block.ts'
import type { ColumnsJudge } from './judge-columns.ts'
import { readAnswer, type JudgedAnswer, type ScanVocabulary } from './scan-vocabulary.ts'
import type { BlockWalk } from './walk-block.ts'

const REASON_TEXTS = ['', '"is_CDN"', '"domain_below_threshold"', '"is_CDN","domain_below_threshold"']

/** Writes the verdicts about one part. */
export class VerdictRowWriter {
  readonly #texts: PartTexts
  readonly #vocabulary: ScanVocabulary
  readonly #judge: ColumnsJudge
  readonly #findLocation: (resolver: string) => SatelliteLocation | null
  readonly #names: Int32Array
  readonly #answers: Int32Array
  /** Number of an answer of the vocabulary → its text up to `matched`. */
  readonly #judged = new Map<number, string>()
  /** Number of an answer of the part → the same, with its own tags. */
  readonly #own = new Map<number, string>()
  /** Number of a location, or a resolver → its text. */
  readonly #locations = new Map<number | string, string>()

  /** @param findLocation - Where a resolver is, for rows that do not say it. */
  constructor(
    texts: PartTexts,
    part: number,
    judge: ColumnsJudge,
    findLocation: (resolver: string) => SatelliteLocation | null,
  ) {
    this.#texts = texts
    this.#judge = judge
    this.#vocabulary = judge.vocabulary
    this.#findLocation = findLocation
    this.#names = judge.vocabulary.nameOf[part] as Int32Array
    this.#answers = judge.vocabulary.answerOf[part] as Int32Array
  }

  /** @returns `undefined` for a row without a verdict. */
  format(block: ColumnBlock, place: BlockPlace, walk: BlockWalk, verdicts: BlockVerdicts): string | undefined {
    const { row } = walk
    const head = block.columns.head[row] as number
    const flags = verdicts.flags[row] as number
    if ((flags & VERDICT.judged) === 0) return undefined
    // These flavours call the fields otherwise, and mark what they did not have.
    if (head === 0 || (head & HEAD.passed_control) !== 0 || this.#hasTwice(block, walk))
      return this.#formatSlowly(block, place, walk)
    return this.#formatRow(block, walk, verdicts, flags, head)
  }

  #formatSlowly(block: ColumnBlock, place: BlockPlace, walk: BlockWalk): string | undefined {
    const row = this.#judge.judgeOne(block, place, walk)
    if (row === undefined) return undefined
    const excludeReasons = this.#judge.listReasons(row)
    const excluded = { ...row, role: 'verified' as const, excluded: excludeReasons.length > 0, excludeReasons }
    return JSON.stringify(convertRow(excluded, 'v2.2').fields)
  }

  /** A list may name an address twice; an object cannot. */
  #hasTwice({ columns }: ColumnBlock, walk: BlockWalk): boolean {
    let { answer } = walk
    const end = walk.trial + (columns.trials[walk.row] as number)
    for (let trial = walk.trial; trial < end; trial++) {
      const count = columns.answers[trial] as number
      if (((columns.trialFlags[trial] as number) & TRIAL.list) !== 0)
        for (let one = answer; one < answer + count; one++)
          for (let other = one + 1; other < answer + count; other++)
            if (columns.answer[one] === columns.answer[other]) return true
      answer += count
    }
    return false
  }

  #formatRow(block: ColumnBlock, walk: BlockWalk, verdicts: BlockVerdicts, flags: number, head: number): string {
    const { columns } = block
    const { row } = walk
    const texts = this.#texts
    const places = { moment: walk.moment, error: walk.error, errorAt: walk.errorAt, answer: walk.answer }
    const resolver = texts.resolvers[columns.resolver[row] as number] as string
    const name = columns.name[row] as number
    const matches: number[] = []
    const reasons: string[] = []
    let response = ''
    const trials = columns.trials[row] as number
    for (let trial = walk.trial; trial < walk.trial + trials; trial++)
      response +=
        (trial === walk.trial ? '' : ',') + this.#formatTrial(block, trial, name, verdicts, places, matches, reasons)
    const isTimed = (trial: number): boolean =>
      trials > 0 && ((columns.trialFlags[trial] as number) & TRIAL.timed) !== 0
    const own = places.moment
    const hasStart = (head & HEAD.start_time) !== 0
    // Without times of its own a row has those of its first and its last query.
    const start = hasStart ? own : isTimed(walk.trial) ? walk.moment : -1
    const last = isTimed(walk.trial + trials - 1) ? own - 1 : -1
    const end = (head & HEAD.end_time) === 0 ? last : hasStart ? own + 1 : own
    const moment = (at: number): string => (at === -1 ? '' : formatMoment(block, texts, at))
    const is = (bit: number): string => ((flags & bit) === 0 ? 'false' : 'true')
    return (
      `{"vp":"${resolver}","test_url":"${texts.names[name] as string}","location":${this.#formatLocation(block, row, head, resolver)}` +
      `,"passed_liveness":${is(VERDICT.passedLiveness)},"connect_error":${is(VERDICT.connectError)}` +
      `,"in_control_group":${is(VERDICT.inControlGroup)},"anomaly":${is(VERDICT.anomaly)}` +
      `,"start_time":"${moment(start)}","end_time":"${moment(end)}","response":[${response}]` +
      `,"confidence":{"average":${verdicts.average[row]},"matches":${matches.length === 0 ? 'null' : `[${matches.join(',')}]`}` +
      `,"untagged_controls":${is(VERDICT.untaggedControls)},"untagged_response":${is(VERDICT.untaggedResponse)}}` +
      `,"excluded":${is(VERDICT.excluded)},"exclude_reason":[${reasons.join(',')}]}`
    )
  }

  /** As the reader takes it: what is no text is nothing. */
  #formatLocation({ columns }: ColumnBlock, row: number, head: number, resolver: string): string {
    const own = (head & HEAD.location) === 0 ? -1 : (columns.location[row] as number)
    const key = own === -1 ? resolver : own
    let text = this.#locations.get(key)
    if (text === undefined) {
      const found =
        own === -1
          ? this.#findLocation(JSON.parse(`"${resolver}"`) as string)
          : takeLocation({ location: JSON.parse(this.#texts.locations[own] as string) as unknown })
      text = JSON.stringify(writeLocation(found, () => undefined))
      this.#locations.set(key, text)
    }
    return text
  }

  #formatTrial(
    block: ColumnBlock,
    trial: number,
    name: number,
    verdicts: BlockVerdicts,
    places: Places,
    matches: number[],
    reasons: string[],
  ): string {
    const { columns } = block
    const flags = columns.trialFlags[trial] as number
    const domain = this.#names[name] as number
    const isTest = this.#names[columns.trialName[trial] as number] === domain
    const end = places.answer + (columns.answers[trial] as number)
    let answers = ''
    for (let at = places.answer; at < end; at++) {
      const local = columns.answer[at] as number
      if (at > places.answer) answers += ','
      if (isTest) {
        const id = this.#answers[local] as number
        const bits = verdicts.matched[at] as number
        answers += `${this.#judgedText(id)}${formatMatched(bits || MATCHED_NULL)}}`
        matches.push(this.#vocabulary.confidenceOf(this.#vocabulary.match(domain, id)))
        const reason = verdicts.reasons[at] as number
        if (reason !== 0) reasons.push(REASON_TEXTS[reason & (REASON.cdn | REASON.belowThreshold)] as string)
      } else answers += `${this.#ownText(local)}${formatMatched((columns.matched[at] as number) || MATCHED_NULL)}}`
    }
    places.answer = end
    const isFailed = (flags & TRIAL.error) !== 0
    const error = isFailed ? takeError(block, places) : 'null'
    let text = `{"url":"${this.#texts.names[columns.trialName[trial] as number] as string}"`
    text += `,"has_type_a":${(flags & TRIAL.hasTypeA) === 0 ? 'false' : 'true'},"response":{${answers}}`
    text += `,"error":"${error === '' ? 'null' : error}","rcode":${(columns.rcode[trial] as number) - 32_768}`
    if ((flags & TRIAL.timed) !== 0) {
      text += `,"start_time":"${formatMoment(block, this.#texts, places.moment++)}"`
      text += `,"end_time":"${formatMoment(block, this.#texts, places.moment++)}"`
    }
    return `${text}}`
  }

  #judgedText(id: number): string {
    let text = this.#judged.get(id)
    if (text === undefined) {
      text = formatAnswer(this.#vocabulary.answers[id] as JudgedAnswer)
      this.#judged.set(id, text)
    }
    return text
  }

  #ownText(local: number): string {
    let text = this.#own.get(local)
    if (text === undefined) {
      text = formatAnswer(readAnswer(this.#texts.answers[local] as string))
      this.#own.set(local, text)
    }
    return text
  }
}

function formatAnswer({ address, tags, unknown }: Pick<SatelliteAnswer, 'address' | 'tags' | 'unknown'>): string {
  const facts = JSON.stringify({ ...writeEmptyableTags(tags), ...unknown })
  return `${JSON.stringify(address)}:${facts.slice(0, -1)},"matched":`
}
