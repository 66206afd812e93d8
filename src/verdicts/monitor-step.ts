/**
 * One round on its way through the monitor's rules: what they changed so far, and how they open and move incidents.
 *
 * **Invariant**: pure but for the step itself, which belongs to one call of {@link judgeMonitorRound}.
 */
import type { MonitoredName } from '../model/monitor-name.ts'
import type { MonitorRound } from '../model/monitor-round.ts'
import type { MonitorIncident, MonitorNotice, MonitorProfile, MonitorState } from '../model/monitor-state.ts'
import type { ClassifiedAnswer } from './monitor-classes.ts'
import { formatAnswer } from './monitor-consensus.ts'
import {
  closeAsChanged,
  moveIncident,
  openIncident,
  type IncidentIdentity,
  type IncidentSighting,
  type MovedIncident,
} from './monitor-incident.ts'

/** What an incident keeps of known values, of resolvers, and of each one's answer. */
const KNOWN_MAX = 10
const ANSWERS_MAX = 16
const ANSWER_CHARS_MAX = 300

/** One round on its way. */
export interface MonitorStep {
  readonly monitored: MonitoredName
  readonly round: MonitorRound
  readonly answers: readonly ClassifiedAnswer[]
  readonly before: MonitorState
  readonly isSilenced: boolean
  incidents: readonly MonitorIncident[]
  notices: readonly MonitorNotice[]
  profile: MonitorProfile
}

/** The open incident with an identity; `undefined` without one. */
export function findOpenIncident(
  step: MonitorStep,
  { subject, resolver }: Pick<IncidentIdentity, 'subject' | 'resolver'>,
): MonitorIncident | undefined {
  return step.incidents.find((each) => each.status === 'open' && each.subject === subject && each.resolver === resolver)
}

/** Opens the incident, opens it again, or moves it. The caller learns what the result says. */
export function applySighting(
  step: MonitorStep,
  identity: IncidentIdentity,
  sighting: IncidentSighting,
): MovedIncident {
  const { subject, resolver } = identity
  const earlier = step.incidents.find((each) => each.subject === subject && each.resolver === resolver)
  const moved =
    earlier?.status === 'open' ? moveIncident(identity, earlier, sighting) : openIncident(identity, earlier, sighting)
  step.incidents = [...step.incidents.filter((each) => each !== earlier), moved.incident]
  step.notices = [...step.notices, ...moved.notices]
  return moved
}

/** Ends the open incident with an identity, because what it brought is right. @returns It; `undefined` without one. */
export function acceptOpenIncident(step: MonitorStep, identity: IncidentIdentity): MonitorIncident | undefined {
  const open = findOpenIncident(step, identity)
  if (open === undefined) return undefined
  const { incident, notices } = closeAsChanged(identity, open, step.round.atMs)
  step.incidents = [...step.incidents.filter((each) => each !== open), incident]
  step.notices = [...step.notices, ...notices]
  return incident
}

/** What a round says about an incident, with what is the same for all of the round. */
export function sightingOf(
  { round, isSilenced, before }: MonitorStep,
  isShown: boolean,
  units: IncidentSighting['units'],
  severity: IncidentSighting['severity'],
  isStanding: boolean,
): IncidentSighting {
  const { atMs: nowMs, isConfirmation, corroboration, intelligence = [] } = round
  const known = Object.entries(before.profile.units)
    .toSorted(([, a], [, b]) => b.lastSeenMs - a.lastSeenMs)
    .slice(0, KNOWN_MAX)
    .map(([text]) => text)
  const answers = round.answers
    .slice(0, ANSWERS_MAX)
    .map((answer) => `${answer.resolver}: ${formatAnswer(answer).slice(0, ANSWER_CHARS_MAX)}`)
  return {
    nowMs,
    isConfirmation,
    isShown,
    units,
    severity,
    corroboration,
    isStanding,
    isSilenced,
    intelligence,
    known,
    answers,
  }
}
