/**
 * Takes rows of the usual shape of v2.2 (and the responses of every v2 flavour, which look alike) out of octets into
 * columns.
 *
 * **Invariant**: what it takes reads, written again, as the slow reader reads the line; of anything unusual (an unknown
 * field, one that comes twice, another type, an odd order of matches) it takes nothing, and the line is read slowly.
 */
import { HEAD, MATCHED_ITEMS, MATCHED_NULL, TRIAL, type BlockBuilder } from './column-block.ts'
import { createFieldTable, lookUp } from './field-table.ts'
import {
  createOctetCursor,
  mixHash,
  NO_INTEGER,
  peekOctet,
  takeFlag,
  takeNested,
  takeNull,
  takeOctet,
  takeSmallInteger,
  takeText,
  takeWord,
  type OctetCursor,
} from './octet-cursor.ts'
import type { PartDictionaries } from './part-dictionaries.ts'

const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const QUOTE = 0x22

const ROW_FIELDS = [
  'vp',
  'test_url',
  'response',
  'location',
  'passed_liveness',
  'passed_control',
  'connect_error',
  'in_control_group',
  'anomaly',
  'confidence',
  'start_time',
  'end_time',
  'excluded',
  'exclude_reason',
] as const
const TRIAL_FIELDS = ['url', 'has_type_a', 'response', 'error', 'rcode', 'start_time', 'end_time'] as const
/** Every query has these. */
const TRIAL_FIELDS_NEEDED = 0b11111
const TRIAL_TIMES = 0b1100000
const ROW_FIELDS_NEEDED = 0b111
const TRIALS_MAX = 255
const ANSWERS_MAX = 64
const STAMP_OCTETS = 19

const ROW_TABLE = createFieldTable(ROW_FIELDS)
const TRIAL_TABLE = createFieldTable(TRIAL_FIELDS)
const MATCHED_TABLE = createFieldTable(MATCHED_ITEMS)
const ONLY_MATCHED = createFieldTable(['matched'])
const ONLY_NULL = createFieldTable(['null'])

/** Takes the rows of one part. */
export class RowScanner {
  readonly #cursor = createOctetCursor()
  readonly #dictionaries: PartDictionaries
  readonly #block: BlockBuilder
  #head = 0
  #resolver = 0
  #name = 0
  #location = 0
  #confidence = 0
  #reasons = 0
  #trials = 0
  /** Of the row: stamp, fraction and tail of its beginning, then of its end. */
  readonly #moments = new Int32Array(6)

  /** @param dictionaries - Get what is new. @param block - Gets the rows. */
  constructor(dictionaries: PartDictionaries, block: BlockBuilder) {
    this.#dictionaries = dictionaries
    this.#block = block
  }

  /** @returns Whether the line was taken. */
  scan(octets: Uint8Array, from: number, to: number): boolean {
    const cursor = this.#cursor
    cursor.octets = octets
    cursor.at = from
    cursor.end = to
    this.#block.mark()
    if (this.#scanRow(cursor) && peekOctet(cursor) === -1 && cursor.at === to) {
      this.#push()
      return true
    }
    this.#block.rollBack()
    return false
  }

  #push(): void {
    const { columns } = this.#block
    columns.head.push(this.#head)
    columns.resolver.push(this.#resolver)
    columns.name.push(this.#name)
    columns.trials.push(this.#trials)
    columns.location.push(this.#location)
    columns.confidence.push(this.#confidence)
    columns.reasons.push(this.#reasons)
    if ((this.#head & HEAD.start_time) !== 0) this.#pushMoment(0)
    if ((this.#head & HEAD.end_time) !== 0) this.#pushMoment(3)
  }

  #pushMoment(at: number): void {
    const { stamp, fraction, tail } = this.#block.columns
    stamp.push(this.#moments[at] as number)
    fraction.push(this.#moments[at + 1] as number)
    tail.push(this.#moments[at + 2] as number)
  }

  #scanRow(cursor: OctetCursor): boolean {
    this.#head = HEAD.usual
    this.#location = 0
    this.#confidence = 0
    this.#reasons = 0
    this.#trials = 0
    let seen = 0
    if (!takeOctet(cursor, OPEN_BRACE)) return false
    do {
      if (!takeText(cursor)) return false
      const field = lookUp(ROW_TABLE, cursor)
      if (field === -1 || (seen & (1 << field)) !== 0 || !takeOctet(cursor, COLON)) return false
      seen |= 1 << field
      if (!this.#scanField(field, cursor)) return false
    } while (takeOctet(cursor, COMMA))
    const hasBoth = HEAD.passed_liveness | HEAD.passed_control
    if ((this.#head & hasBoth) === hasBoth) return false
    return (seen & ROW_FIELDS_NEEDED) === ROW_FIELDS_NEEDED && takeOctet(cursor, CLOSE_BRACE)
  }

  #scanField(field: number, cursor: OctetCursor): boolean {
    switch (ROW_FIELDS[field]) {
      case 'vp':
        return takeText(cursor) && (this.#resolver = this.#dictionaries.text('resolvers', cursor)) !== -1
      case 'test_url':
        return takeText(cursor) && (this.#name = this.#dictionaries.text('names', cursor)) !== -1
      case 'response':
        return this.#scanTrials(cursor)
      case 'location':
        this.#head |= HEAD.location
        return takeNested(cursor) && (this.#location = this.#dictionaries.value('locations', cursor)) !== -1
      case 'confidence':
        this.#head |= HEAD.confidence
        return takeNested(cursor) && (this.#confidence = this.#dictionaries.value('confidences', cursor)) !== -1
      case 'exclude_reason':
        this.#head |= HEAD.exclude_reason
        return takeNested(cursor) && (this.#reasons = this.#dictionaries.value('reasons', cursor)) !== -1
      case 'passed_liveness':
        return this.#scanFlag(cursor, HEAD.passed_liveness, HEAD.hasPassed)
      case 'passed_control':
        return this.#scanFlag(cursor, HEAD.passed_control, HEAD.hasPassed)
      case 'connect_error':
        return this.#scanFlag(cursor, HEAD.connect_error, HEAD.isConnectError)
      case 'in_control_group':
        return this.#scanFlag(cursor, HEAD.in_control_group, HEAD.isInControlGroup)
      case 'anomaly':
        return this.#scanFlag(cursor, HEAD.anomaly, HEAD.isAnomaly)
      case 'excluded':
        return this.#scanFlag(cursor, HEAD.excluded, HEAD.isExcluded)
      case 'start_time':
        this.#head |= HEAD.start_time
        return this.#scanMoment(cursor, 0)
      case 'end_time':
        this.#head |= HEAD.end_time
        return this.#scanMoment(cursor, 3)
      case undefined:
      default:
        return false
    }
  }

  #scanFlag(cursor: OctetCursor, present: number, set: number): boolean {
    const flag = takeFlag(cursor)
    this.#head |= flag === 1 ? present | set : present
    return flag !== -1
  }

  /** `2021-04-18 14:49:01.62448452 -0400 EDT`, of which the fraction may be absent. */
  #scanMoment(cursor: OctetCursor, at: number): boolean {
    if (!takeText(cursor) || cursor.isEscaped) return false
    const { octets, from, to } = cursor
    let here = from + STAMP_OCTETS
    if (here > to) return false
    const stamp = this.#dictionaries.stamp(octets, from, here)
    let fraction = 0
    let digits = 0
    if (octets[here] === 0x2e) {
      for (here++; here < to; here++, digits++) {
        const digit = (octets[here] as number) - 0x30
        if (digit < 0 || digit > 9) break
        fraction = fraction * 10 + digit
      }
      if (digits === 0 || digits > 9) return false
    }
    const tail = this.#dictionaries.tail(octets, here, to)
    this.#moments[at] = stamp
    this.#moments[at + 1] = fraction
    this.#moments[at + 2] = tail * 16 + digits
    return stamp !== -1 && tail !== -1
  }

  #scanTrials(cursor: OctetCursor): boolean {
    if (!takeOctet(cursor, OPEN_BRACKET)) return false
    if (takeOctet(cursor, CLOSE_BRACKET)) return true
    do {
      if (this.#trials++ === TRIALS_MAX || !this.#scanTrial(cursor)) return false
    } while (takeOctet(cursor, COMMA))
    return takeOctet(cursor, CLOSE_BRACKET)
  }

  #scanTrial(cursor: OctetCursor): boolean {
    const { columns } = this.#block
    const trial = this.#trial
    trial.flags = 0
    trial.answers = 0
    let seen = 0
    if (!takeOctet(cursor, OPEN_BRACE)) return false
    do {
      if (!takeText(cursor)) return false
      const field = lookUp(TRIAL_TABLE, cursor)
      if (field === -1 || (seen & (1 << field)) !== 0 || !takeOctet(cursor, COLON)) return false
      seen |= 1 << field
      if (!this.#scanTrialField(field, cursor)) return false
    } while (takeOctet(cursor, COMMA))
    if ((seen & TRIAL_FIELDS_NEEDED) !== TRIAL_FIELDS_NEEDED || !takeOctet(cursor, CLOSE_BRACE)) return false
    const times = seen & TRIAL_TIMES
    if (times === TRIAL_TIMES) {
      trial.flags |= TRIAL.timed
      for (let at = 0; at < 6; at += 3) {
        columns.stamp.push(trial.moments[at] as number)
        columns.fraction.push(trial.moments[at + 1] as number)
        columns.tail.push(trial.moments[at + 2] as number)
      }
    } else if (times !== 0) return false
    columns.trialName.push(trial.name)
    columns.trialFlags.push(trial.flags)
    columns.rcode.push(trial.rcode + 32_768)
    columns.answers.push(trial.answers)
    return true
  }

  readonly #trial = { name: 0, flags: 0, rcode: 0, answers: 0, moments: new Int32Array(6) }

  #scanTrialField(field: number, cursor: OctetCursor): boolean {
    const trial = this.#trial
    switch (TRIAL_FIELDS[field]) {
      case 'url':
        return takeText(cursor) && (trial.name = this.#dictionaries.text('names', cursor)) !== -1
      case 'has_type_a': {
        const flag = takeFlag(cursor)
        if (flag === 1) trial.flags |= TRIAL.hasTypeA
        return flag !== -1
      }
      case 'response':
        return this.#scanAnswers(cursor)
      case 'error':
        return this.#scanError(cursor)
      case 'rcode':
        trial.rcode = takeSmallInteger(cursor)
        return trial.rcode !== NO_INTEGER
      case 'start_time':
        return this.#scanTrialMoment(cursor, 0)
      case 'end_time':
        return this.#scanTrialMoment(cursor, 3)
      case undefined:
      default:
        return false
    }
  }

  /** The moments of the row may be known already, or not yet. */
  #scanTrialMoment(cursor: OctetCursor, at: number): boolean {
    const [stamp = 0, fraction = 0, tail = 0] = this.#moments.subarray(at, at + 3)
    const isMoment = this.#scanMoment(cursor, at)
    this.#trial.moments.set(this.#moments.subarray(at, at + 3), at)
    this.#moments[at] = stamp
    this.#moments[at + 1] = fraction
    this.#moments[at + 2] = tail
    return isMoment
  }

  #scanError(cursor: OctetCursor): boolean {
    if (!takeText(cursor)) return false
    if (lookUp(ONLY_NULL, cursor) !== -1) return true
    // What is not interned has nobody else who looks at its escapes.
    if (cursor.isEscaped) return false
    const { octets, from, to } = cursor
    this.#trial.flags |= TRIAL.error
    this.#block.columns.errorOctets.push(to - from)
    this.#block.errorText.push(octets, from, to)
    return true
  }

  #scanAnswers(cursor: OctetCursor): boolean {
    const first = peekOctet(cursor)
    if (first === OPEN_BRACE) {
      this.#trial.flags |= TRIAL.map
      cursor.at++
      if (takeOctet(cursor, CLOSE_BRACE)) return true
      do {
        if (!this.#scanTaggedAnswer(cursor)) return false
      } while (takeOctet(cursor, COMMA))
      return takeOctet(cursor, CLOSE_BRACE) && !this.#hasAddressTwice()
    }
    if (first !== OPEN_BRACKET) return takeNull(cursor)
    this.#trial.flags |= TRIAL.list
    cursor.at++
    if (takeOctet(cursor, CLOSE_BRACKET)) return true
    do {
      if (!takeText(cursor)) return false
      const { octets, from, to, hash } = cursor
      const answer = this.#dictionaries.answer(octets, from - 1, to + 1, hash, false)
      if (!this.#pushAnswer(answer, MATCHED_NULL)) return false
    } while (takeOctet(cursor, COMMA))
    return takeOctet(cursor, CLOSE_BRACKET)
  }

  #pushAnswer(answer: number, matched: number): boolean {
    if (answer === -1 || this.#trial.answers === ANSWERS_MAX) return false
    this.#trial.answers++
    this.#block.columns.answer.push(answer)
    this.#block.columns.matched.push(matched)
    return true
  }

  /** An object that has one field twice has the last one alone. */
  #hasAddressTwice(): boolean {
    const { values, length } = this.#block.columns.answer
    for (let one = length - this.#trial.answers; one < length; one++)
      for (let other = one + 1; other < length; other++)
        if (this.#dictionaries.hasSameAddress(values[one] as number, values[other] as number)) return true
    return false
  }

  /** `"198.51.100.7": {"http": "…", …, "matched": [...]}`: up to `matched`, which has to be the last. */
  #scanTaggedAnswer(cursor: OctetCursor): boolean {
    if (peekOctet(cursor) !== QUOTE) return false
    const start = cursor.at
    if (!takeText(cursor)) return false
    let { hash } = cursor
    if (!takeOctet(cursor, COLON) || !takeOctet(cursor, OPEN_BRACE)) return false
    for (;;) {
      if (peekOctet(cursor) !== QUOTE) return false
      const end = cursor.at
      if (!takeText(cursor)) return false
      if (lookUp(ONLY_MATCHED, cursor) !== -1) {
        if (!takeOctet(cursor, COLON)) return false
        const answer = this.#dictionaries.answer(cursor.octets, start, end, hash, true)
        if (answer === -1) return false
        return this.#pushAnswer(answer, this.#scanMatched(cursor)) && takeOctet(cursor, CLOSE_BRACE)
      }
      hash = mixHash(hash, cursor.hash)
      if (!takeOctet(cursor, COLON)) return false
      if (peekOctet(cursor) === QUOTE ? !takeText(cursor) : !takeWord(cursor)) return false
      hash = mixHash(hash, cursor.hash)
      if (!takeOctet(cursor, COMMA)) return false
    }
  }

  /** @returns The items as bits; a number that no brace follows for an odd order or item. */
  #scanMatched(cursor: OctetCursor): number {
    if (takeNull(cursor)) return MATCHED_NULL
    let bits = 0
    if (!takeOctet(cursor, OPEN_BRACKET)) return this.#refuse(cursor)
    if (takeOctet(cursor, CLOSE_BRACKET)) return 0
    do {
      if (!takeText(cursor)) return this.#refuse(cursor)
      const bit = 1 << lookUp(MATCHED_TABLE, cursor)
      // Not there: −1 shifts to the sign.
      if (bit < 0 || bit <= bits) return this.#refuse(cursor)
      bits |= bit
    } while (takeOctet(cursor, COMMA))
    return takeOctet(cursor, CLOSE_BRACKET) ? bits : this.#refuse(cursor)
  }

  /** Goes behind everything: nothing that is expected comes there. */
  #refuse(cursor: OctetCursor): number {
    cursor.at = cursor.end
    return 0
  }
}
