/**
 * What others than the resolvers say about a round that shows something new: the authoritative servers, a certificate at
 * a new address, the parent.
 *
 * Invariant: asks only when something is new; connects to public addresses only. Rounds stay facts: classes come from
 * `verdicts/`.
 */
import type { MonitoredName } from '../../model/monitor-name.ts'
import type { Corroboration, MonitorRound, ResolverAnswer } from '../../model/monitor-round.ts'
import type { CandidateClass, MonitorState, ZoneProfile } from '../../model/monitor-state.ts'
import { classifyAnswer, indexProfile, type ClassifiedAnswer } from '../../verdicts/monitor-classes.ts'
import type { JudgedRound } from '../../verdicts/monitor-judge.ts'
import { compareParent } from '../../verdicts/monitor-zone.ts'
import { askCertificate } from './ask-certificate.ts'
import type { MonitorProbeCapabilities } from './monitor-probe.ts'
import type { ZoneWatch } from './zone-watch.ts'

const CANDIDATES: readonly CandidateClass[] = ['K4', 'K5', 'K3']
/** How old the place of a name may be when something is new, in milliseconds. */
const PLACE_AGE_MS = 60_000
/** How old what the parent says may be then. */
const FACTS_AGE_MS = 5_000

/** What corroborating needs. */
export interface CorroborationOptions {
  readonly capabilities: MonitorProbeCapabilities
  /** `undefined` where nobody is to be asked. */
  readonly zones: ZoneWatch | undefined
  readonly timeoutMs: number
  /** What is known of a zone, by the name that speaks for it. */
  readonly knownZone: (zone: string) => Promise<ZoneProfile | undefined>
}

/** The worst class in a round that has to be confirmed; `undefined` when there is none. */
export function findCandidateClass(answers: readonly ClassifiedAnswer[]): CandidateClass | undefined {
  return CANDIDATES.find((subject) =>
    answers.some((each) => each.class === subject || each.units.some((unit) => unit.class === subject)),
  )
}

/** Asks the others about a round that shows something of class `subject`. */
export async function corroborate(
  options: CorroborationOptions,
  before: MonitorState,
  monitored: MonitoredName,
  { answers, round }: { readonly answers: JudgedRound['answers']; readonly round: MonitorRound },
  subject: CandidateClass,
): Promise<Partial<Corroboration>> {
  const { capabilities, zones, timeoutMs, knownZone } = options
  const newAddress = answers
    .flatMap(({ units }) => units)
    .find((each) => each.class === 'K3' && each.unit.prefix !== null)?.unit.text
  const askTls = async (): Promise<Corroboration['tls']> =>
    newAddress === undefined ? 'unknown' : askCertificate(capabilities, newAddress, monitored.domain, timeoutMs)
  const askZone = async (): Promise<Partial<Corroboration>> => {
    const located = await zones?.locate(monitored, PLACE_AGE_MS)
    if (zones === undefined || located === undefined) return {}
    const [said, facts] = await Promise.all([zones.ask(located, monitored), zones.facts(located, FACTS_AGE_MS)])
    const known = await knownZone(facts.zone)
    return {
      authoritative: compareAuthoritative(said, before, monitored, subject, round.atMs, located.targetServers.length),
      ...compareParent(known?.zone === facts.zone ? known : undefined, facts),
    }
  }
  const [tls, zone] = await Promise.all([askTls(), askZone()])
  return { tls, ...zone }
}

/** How many of the servers say what is new: answers of the same class, since values may rotate. */
export function compareAuthoritative(
  said: readonly ResolverAnswer[],
  before: MonitorState,
  monitored: MonitoredName,
  subject: CandidateClass,
  nowMs: number,
  servers: number,
): Corroboration['authoritative'] {
  if (said.length === 0) return 'unknown'
  const index = indexProfile(before.profile)
  const same = said.filter((answer) => {
    const classified = classifyAnswer(answer, index, monitored, nowMs)
    return classified.class === subject || classified.units.some((unit) => unit.class === subject)
  }).length
  if (same === 0) return 'none'
  return same === servers ? 'all' : 'some'
}
