/**
 * Writes rows of columns as JSON again.
 *
 * **Invariant**: the line is equal to that of the source, field by field; an odd row is the line itself.
 */
import { HEAD, MATCHED_ITEMS, MATCHED_NULL, TRIAL, type ColumnBlock } from './column-block.ts'
import type { DictionaryName } from './part-dictionaries.ts'
import type { BlockWalk } from './walk-block.ts'

/** The dictionaries of a part as texts, as they stood in the source. */
export type PartTexts = Readonly<Record<DictionaryName, readonly string[]>>

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true })

/** `matched` by its bits. */
const MATCHED_TEXTS: readonly string[] = Array.from({ length: MATCHED_NULL + 1 }, (_, bits) =>
  bits === MATCHED_NULL ? 'null' : JSON.stringify(MATCHED_ITEMS.filter((_item, bit) => (bits & (1 << bit)) !== 0)),
)

/** Writes `matched`. */
export function formatMatched(bits: number): string {
  return MATCHED_TEXTS[bits] as string
}

/** Fields of a row that are true or false: the bit that it has it, and the bit that it is true. */
const FLAGS = [
  ['passed_liveness', HEAD.passed_liveness, HEAD.hasPassed],
  ['passed_control', HEAD.passed_control, HEAD.hasPassed],
  ['connect_error', HEAD.connect_error, HEAD.isConnectError],
  ['in_control_group', HEAD.in_control_group, HEAD.isInControlGroup],
  ['anomaly', HEAD.anomaly, HEAD.isAnomaly],
  ['excluded', HEAD.excluded, HEAD.isExcluded],
] as const

/** Writes the row at which the walk stands, without a line feed. */
export function formatColumnRow(block: ColumnBlock, texts: PartTexts, walk: BlockWalk): string {
  const { columns } = block
  const { row } = walk
  const head = columns.head[row] as number
  if (head === 0) {
    const octets = columns.oddOctets[walk.odd] as number
    return DECODER.decode(block.oddText.subarray(walk.oddAt, walk.oddAt + octets))
  }
  const text = (name: DictionaryName, id: number | undefined): string => texts[name][id as number] as string
  const places = { moment: walk.moment, error: walk.error, errorAt: walk.errorAt, answer: walk.answer }
  let line = `{"vp":"${text('resolvers', columns.resolver[row])}","test_url":"${text('names', columns.name[row])}"`
  if ((head & HEAD.location) !== 0) line += `,"location":${text('locations', columns.location[row])}`
  for (const [name, present, set] of FLAGS)
    if ((head & present) !== 0) line += (head & set) === 0 ? `,"${name}":false` : `,"${name}":true`
  line += ',"response":['
  const trials = columns.trials[row] as number
  for (let at = 0; at < trials; at++) line += (at === 0 ? '' : ',') + formatTrial(block, texts, walk.trial + at, places)
  line += ']'
  if ((head & HEAD.confidence) !== 0) line += `,"confidence":${text('confidences', columns.confidence[row])}`
  if ((head & HEAD.exclude_reason) !== 0) line += `,"exclude_reason":${text('reasons', columns.reasons[row])}`
  if ((head & HEAD.start_time) !== 0) line += `,"start_time":"${formatMoment(block, texts, places.moment++)}"`
  if ((head & HEAD.end_time) !== 0) line += `,"end_time":"${formatMoment(block, texts, places.moment)}"`
  return `${line}}`
}

/** Where the next query finds what is its own. */
export interface Places {
  moment: number
  error: number
  errorAt: number
  answer: number
}

function formatTrial(block: ColumnBlock, texts: PartTexts, trial: number, places: Places): string {
  const { columns } = block
  const flags = columns.trialFlags[trial] as number
  const name = texts.names[columns.trialName[trial] as number] as string
  let text = `{"url":"${name}","has_type_a":${(flags & TRIAL.hasTypeA) === 0 ? 'false' : 'true'},"response":`
  const count = columns.answers[trial] as number
  if ((flags & TRIAL.map) !== 0) {
    text += '{'
    for (let at = 0; at < count; at++) {
      const answer = places.answer + at
      const matched = formatMatched(columns.matched[answer] as number)
      text += `${at === 0 ? '' : ','}${texts.answers[columns.answer[answer] as number] as string}"matched":${matched}}`
    }
    text += '}'
  } else if ((flags & TRIAL.list) !== 0) {
    const list = Array.from({ length: count }, (_, at) => texts.answers[columns.answer[places.answer + at] as number])
    text += `[${list.join(',')}]`
  } else text += 'null'
  places.answer += count
  text += `,"error":"${(flags & TRIAL.error) === 0 ? 'null' : takeError(block, places)}"`
  text += `,"rcode":${(columns.rcode[trial] as number) - 32_768}`
  if ((flags & TRIAL.timed) !== 0) {
    text += `,"start_time":"${formatMoment(block, texts, places.moment++)}"`
    text += `,"end_time":"${formatMoment(block, texts, places.moment++)}"`
  }
  return `${text}}`
}

/** Takes the error of a query that has one. */
export function takeError(block: ColumnBlock, places: Places): string {
  const octets = block.columns.errorOctets[places.error++] as number
  const text = DECODER.decode(block.errorText.subarray(places.errorAt, places.errorAt + octets))
  places.errorAt += octets
  return text
}

/** Writes a moment as it stood in the source. */
export function formatMoment({ columns }: ColumnBlock, texts: PartTexts, moment: number): string {
  const tail = columns.tail[moment] as number
  const digits = tail & 15
  const fraction = digits === 0 ? '' : `.${String(columns.fraction[moment]).padStart(digits, '0')}`
  return `${texts.stamps[columns.stamp[moment] as number] as string}${fraction}${texts.tails[tail >> 4] as string}`
}
