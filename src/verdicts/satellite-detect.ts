/**
 * The published rule of Satellite: does an answer overlap with what the control resolvers said?
 *
 * **Invariant**: pure, and exactly as published, mistakes included: a pair without any answer is an anomaly, since nothing
 * is "untagged" then.
 *
 * Rule: docs/detectors/satellite-detect.md
 */
import type {
  SatelliteAnswer,
  SatelliteConfidence,
  SatelliteRow,
  SatelliteTags,
  SatelliteTrial,
} from '../model/satellite-row.ts'
import type { ControlSet, FindTags } from './satellite-control.ts'

const NO_TAGS: SatelliteTags = { http: null, cert: null, asnum: null, asname: null }
const NO_SPELLING: SatelliteRow['spelling'] = { fields: {}, absent: [] }

/** Which facts of an address the control shares: `ip`, `no_tags`, `http`, `cert`, `asnum`, `asname`, in this order. */
export function matchAnswer(address: string, tags: SatelliteTags, control: ControlSet): readonly string[] {
  const matched: string[] = []
  if (control.addresses.has(address)) matched.push('ip')
  if (countTags(tags) === 0) matched.push('no_tags')
  if (tags.http !== null && control.http.has(tags.http)) matched.push('http')
  if (tags.cert !== null && control.cert.has(tags.cert)) matched.push('cert')
  if (tags.asnum !== null && control.asnum.has(tags.asnum)) matched.push('asnum')
  if (tags.asname !== null && control.asname.has(tags.asname)) matched.push('asname')
  return matched
}

/** Whether something other than `no_tags` matched. */
export function hasOverlap(matched: readonly string[]): boolean {
  return matched.some((item) => item !== 'no_tags')
}

/** 100 for an address of the control; else the share of the tags that matched, in percent; 0 without tags. */
export function answerConfidence(tags: SatelliteTags, matched: readonly string[]): number {
  if (matched.includes('ip')) return 100
  const count = countTags(tags)
  return count === 0 ? 0 : (100 * matched.filter((item) => item !== 'no_tags').length) / count
}

/** Confidence of a judged row, from its own tags and matches: `matches` in the order of the answers. */
export function recomputeConfidence(
  answers: readonly SatelliteAnswer[],
  untaggedControls: boolean,
): SatelliteConfidence {
  const matches = answers.map(({ tags, matched }) => answerConfidence(tags ?? NO_TAGS, matched ?? []))
  return {
    average: matches.length === 0 ? 0 : matches.reduce((sum, match) => sum + match, 0) / matches.length,
    matches: matches.length === 0 ? null : matches,
    untaggedControls,
    untaggedResponse: answers.length > 0 && answers.every(({ tags }) => countTags(tags ?? NO_TAGS) === 0),
  }
}

/**
 * Judges one response. The row that comes back has the tags and matches of each address, and the booleans of its flavour;
 * in v1 a name that no control answered is not judged (`no_control`).
 */
export function judgePair(row: SatelliteRow, control: ControlSet, findTags: FindTags): SatelliteRow {
  const trials = row.trials.map((trial) => matchTrial(trial, control, findTags))
  const tests = trials.filter((trial) => trial.purpose === 'test')
  const answers = tests.flatMap((trial) => trial.answers)
  const overlap = answers.some(({ matched }) => hasOverlap(matched ?? []))
  const inControlGroup = control.answered > 0
  const judged: SatelliteRow = {
    ...row,
    trials,
    role: 'result',
    inControlGroup,
    startTime: row.startTime ?? trials[0]?.startTime ?? null,
    endTime: row.endTime ?? trials.at(-1)?.endTime ?? null,
    spelling: NO_SPELLING,
  }
  if (row.flavour === 'v1') {
    return inControlGroup ? { ...judged, anomaly: !overlap } : { ...judged, role: 'no_control', anomaly: null }
  }
  const passedLiveness = hasPassedLiveness(row)
  const confidence = recomputeConfidence(answers, !hasControlTags(control))
  const anomaly =
    passedLiveness &&
    inControlGroup &&
    !overlap &&
    confidence.untaggedControls !== true &&
    confidence.untaggedResponse !== true
  return {
    ...judged,
    passedLiveness,
    connectError: tests.every((trial) => trial.rcode === -1),
    anomaly,
    confidence,
    excluded: hasExclusion(row) ? false : null,
    excludeReasons: hasExclusion(row) ? [] : null,
  }
}

/** False if the first control query failed and nothing was asked after it, or if both failed. */
function hasPassedLiveness(row: SatelliteRow): boolean {
  const controls = row.trials.filter((trial) => trial.purpose === 'control')
  // Nobody wrote down the control queries, or only those that failed: then the row itself says it.
  if (controls.length === 0) return row.passedLiveness ?? row.trials.length > 0
  const failed = controls.filter((trial) => !(trial.hasTypeA ?? trial.rcode === 0)).length
  return controls.length < row.trials.length ? failed < 2 : failed === 0
}

function matchTrial(trial: SatelliteTrial, control: ControlSet, findTags: FindTags): SatelliteTrial {
  if (trial.purpose === 'control') return trial
  const answers = trial.answers.map((answer) => {
    const tags = findTags(answer.address) ?? answer.tags ?? NO_TAGS
    return { ...answer, tags, matched: matchAnswer(answer.address, tags, control) }
  })
  return { ...trial, answers }
}

function countTags({ http, cert, asnum, asname }: SatelliteTags): number {
  return [http, cert, asnum, asname].filter((tag) => tag !== null).length
}

function hasControlTags({ http, cert, asnum, asname }: ControlSet): boolean {
  return http.size + cert.size + asnum.size + asname.size > 0
}

/** Judged rows of v2.2 and later say that nothing is excluded yet. */
function hasExclusion({ flavour }: SatelliteRow): boolean {
  return flavour === 'v2.2' || flavour === 'v2.3'
}
