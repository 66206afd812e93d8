/**
 * The monitor's state machine for one name and type: (state, round, now) → (state, notices).
 *
 * **Invariant**: pure: the same state and the same round give the same notices, for ever. A round in which nobody
 * answered changes no profile, candidate or class of incident.
 *
 * Specification: docs/detectors/monitor-confirmation.md, docs/detectors/monitor-incidents.md
 */
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import type { MonitorRound } from '../model/monitor-round.ts'
import type {
  CandidateClass,
  MonitorCandidate,
  MonitorClass,
  MonitorIncident,
  MonitorNotice,
  MonitorState,
} from '../model/monitor-state.ts'
import {
  addCandidateRound,
  judgeCandidate,
  nextConfirmationAt,
  sightClass,
  type ClassSighting,
} from './monitor-candidate.ts'
import { classifyAnswer, classifyRound, indexProfile, isExpected, type ClassifiedAnswer } from './monitor-classes.ts'
import type { IncidentIdentity, IncidentSighting } from './monitor-incident.ts'
import { isLearning, learnRound, learnUnits, startProfile } from './monitor-profile.ts'
import { judgeSeverity } from './monitor-severity.ts'
import { acceptOpenIncident, applySighting, findOpenIncident, sightingOf, type MonitorStep } from './monitor-step.ts'
import { findValueDetails } from './monitor-value-details.ts'
import { compareParent, isZoneWanted, judgeZone } from './monitor-zone.ts'

const CLASSES: readonly CandidateClass[] = ['K4', 'K5', 'K3']
/** Rounds without any answer until that is told. */
const FAILED_ROUNDS = 3
/** A closed incident is remembered so long: what comes back within it is the same. */
const REMEMBERED_MS = 3_600_000

/** What a round amounts to. */
export interface JudgedRound {
  readonly class: MonitorClass
  readonly isBaseline: boolean
  readonly answers: readonly ClassifiedAnswer[]
  readonly state: MonitorState
  readonly notices: readonly MonitorNotice[]
  /** When the next confirming round is due, Unix milliseconds; `null` for not before the interval is over. */
  readonly confirmAtMs: number | null
  /** Whether the zone is to be asked again at once: something about it is being confirmed, or is wrong. */
  readonly isZoneWanted: boolean
}

/** Judges one round. */
export function judgeMonitorRound(before: MonitorState, monitored: MonitoredName, seen: MonitorRound): JudgedRound {
  const parent = seen.zone === undefined ? {} : compareParent(before.profile.zone, seen.zone)
  const round: MonitorRound = { ...seen, corroboration: { ...seen.corroboration, ...parent } }
  const nowMs = round.atMs
  const index = indexProfile(before.profile)
  const answers = round.answers.map((answer) => classifyAnswer(answer, index, monitored, nowMs))
  const roundClass = classifyRound(answers)
  const step: MonitorStep = {
    monitored,
    round,
    answers,
    before,
    isSilenced: monitored.maintenance.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs),
    incidents: before.incidents.filter(({ closedAtMs }) => closedAtMs === null || nowMs - closedAtMs < REMEMBERED_MS),
    notices: [],
    profile: before.profile,
  }
  const hasAnswers = round.answers.some(({ outcome }) => outcome === 'answer')
  const failedRounds = roundClass !== 'K6' ? 0 : before.failedRounds + (round.isConfirmation ? 0 : 1)
  judgeAvailability(step, failedRounds)
  const isBaseline = before.profile.baselineAtMs === null && hasAnswers && monitored.mode === 'auto'
  if (isBaseline) step.profile = learnRound(startProfile(before.profile, round), round, answers).profile
  acceptApproved(step)
  const candidates = isBaseline || roundClass === 'K6' ? before.candidates : judgeClasses(step)
  if (!isBaseline && hasAnswers && monitored.mode === 'auto') learn(step)
  judgeZone(step)
  return {
    class: isBaseline ? 'K0' : roundClass,
    isBaseline,
    answers,
    state: { profile: step.profile, candidates, incidents: step.incidents, failedRounds },
    notices: step.notices,
    confirmAtMs: nextConfirmationAt(candidates),
    isZoneWanted: isZoneWanted(step),
  }
}

function learn(step: MonitorStep): void {
  const { round, answers, monitored } = step
  const { profile, newPrefixes, ttlFall } = learnRound(step.profile, round, answers)
  step.profile = profile
  const inform = (title: string): void => {
    const notice = {
      event: 'info',
      channel: 'digest',
      severity: 'info',
      atMs: round.atMs,
      title,
      incident: null,
    } as const
    step.notices = [...step.notices, notice]
  }
  const key = formatMonitorKey(monitored)
  if (newPrefixes.length > 0 && !isLearning(profile, round.atMs))
    inform(`${key} has new addresses in an AS that it uses: ${newPrefixes.join(', ')}`)
  if (ttlFall !== null) inform(`the TTL of ${key} fell from ${ttlFall.from} to ${ttlFall.to} s`)
}

/** What was announced, or expected, since an incident began is right: it ends as changed, and is learned. */
function acceptApproved(step: MonitorStep): void {
  const { monitored, round } = step
  const identity = { monitor: formatMonitorKey(monitored), subject: 'K3', resolver: null } as const
  const open = findOpenIncident(step, identity)
  const expected = [...monitored.expect, ...(monitored.mode === 'auto' ? monitored.approve : [])]
  if (open === undefined || expected.length === 0) return
  const units = Object.entries(open.units)
  if (!units.every(([text, unit]) => isExpected({ ...unit, text, isBogus: false }, expected, round.atMs))) return
  acceptOpenIncident(step, identity)
  if (monitored.mode === 'auto') step.profile = learnUnits(step.profile, open.units)
}

function judgeAvailability(step: MonitorStep, failedRounds: number): void {
  const identity: IncidentIdentity = {
    monitor: formatMonitorKey(step.monitored),
    subject: 'unavailable',
    resolver: null,
  }
  const isOpen = findOpenIncident(step, identity) !== undefined
  if (!isOpen && failedRounds < FAILED_ROUNDS) return
  apply(step, identity, sightingOf(step, failedRounds > 0, {}, 'low', false))
}

function judgeClasses(step: MonitorStep): readonly MonitorCandidate[] {
  const candidates = CLASSES.flatMap((subject) => judgeClass(step, subject) ?? [])
  for (const incident of step.incidents) {
    if (incident.subject === 'diverges' && incident.status === 'open') moveDivergence(step, incident)
  }
  return candidates
}

/** One class in one round. @returns The candidate that goes on; `undefined` for none. */
function judgeClass(step: MonitorStep, subject: CandidateClass): MonitorCandidate | undefined {
  const { before, round, answers, monitored } = step
  const nowMs = round.atMs
  const sighting = sightClass(subject, answers, nowMs)
  const divergent = new Set(
    step.incidents.flatMap((each) =>
      each.status === 'open' && each.subject === 'diverges' ? (each.resolver ?? []) : [],
    ),
  )
  // What only a resolver shows that is known to diverge belongs to that incident.
  const isShown = sighting.operators.some((operator) => !divergent.has(operator))
  const identity: IncidentIdentity = { monitor: formatMonitorKey(monitored), subject, resolver: null }
  if (findOpenIncident(step, identity) !== undefined) {
    apply(step, identity, toSighting(step, subject, sighting, isShown))
    return undefined
  }
  const candidate = before.candidates.find((each) => each.class === subject)
  if (candidate === undefined && !isShown) return undefined
  const grown = addCandidateRound(candidate, subject, sighting, nowMs)
  const verdict = judgeCandidate(grown, nowMs)
  if (verdict.kind === 'open') return grown
  if (verdict.kind === 'confirmed') {
    apply(step, identity, { ...toSighting(step, subject, sighting, true), units: grown.units, isShown: true })
  }
  // Where the authoritative servers say the same, the resolver is only the first to have it.
  if (verdict.kind === 'diverges' && round.corroboration.authoritative !== 'all') {
    const other = { ...identity, subject: 'diverges', resolver: verdict.operator } as const
    apply(step, other, sightingOf(step, true, grown.units, 'medium', false))
  }
  if (subject === 'K3' && monitored.mode === 'auto' && isLearning(before.profile, nowMs))
    step.profile = learnUnits(step.profile, grown.units)
  return undefined
}

function moveDivergence(step: MonitorStep, incident: MonitorIncident): void {
  if (incident.openedAtMs === step.round.atMs) return
  const { resolver } = incident
  const own = step.answers.filter(({ answer }) => answer.operator === resolver && answer.outcome !== 'failure')
  if (own.length === 0) return
  const sightings = CLASSES.map((subject) => sightClass(subject, own, step.round.atMs))
  const units = Object.assign({}, ...sightings.map((each) => each.units)) as MonitorIncident['units']
  const isShown = sightings.some(({ operators }) => operators.length > 0)
  const identity = { monitor: formatMonitorKey(step.monitored), subject: 'diverges', resolver } as const
  apply(step, identity, sightingOf(step, isShown, units, 'medium', false))
}

/** Opens the incident or moves it, and learns what it brought when that is right. */
function apply(step: MonitorStep, identity: IncidentIdentity, sighting: IncidentSighting): void {
  const { isChanged, incident } = applySighting(step, identity, sighting)
  if (isChanged && step.monitored.mode === 'auto') step.profile = learnUnits(step.profile, incident.units)
}

function toSighting(
  step: MonitorStep,
  subject: CandidateClass,
  sighting: ClassSighting,
  isShown: boolean,
): IncidentSighting {
  const { monitored, round, before } = step
  const { corroboration } = round
  const { type, mode } = monitored
  const severity = judgeSeverity({
    class: subject,
    type,
    spread: sighting.round.isOnAll ? 'all' : 'several',
    corroboration,
    details: findValueDetails(type, before.profile.units, sighting.units),
    isPinned: mode === 'pin',
    isLearning: isLearning(before.profile, round.atMs),
    hasHighRisk: hasHighRisk(round, sighting.units),
  })
  const isAddress = type === 'A' || type === 'AAAA'
  const isVouchedFor = isAddress ? corroboration.tls === 'valid' : corroboration.authoritative === 'all'
  const isStanding = subject === 'K3' && mode === 'auto' && sighting.round.isOnAll && isVouchedFor
  return sightingOf(step, isShown, sighting.units, severity, isStanding)
}

function hasHighRisk({ intelligence = [] }: MonitorRound, units: MonitorIncident['units']): boolean {
  return intelligence.some(
    ({ address, level }) => units[address] !== undefined && (level === 'high' || level === 'critical'),
  )
}
