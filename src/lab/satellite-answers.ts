/**
 * What each address of the satellite world answers to a question: its own names, reverse names, and the names of the plan.
 *
 * Invariant: a pure function of plan, address, name and type.
 */
import { RCODE_NXDOMAIN } from '../dns/rcode.ts'
import { TYPE_A, TYPE_PTR } from '../dns/rr-type.ts'
import { LIVENESS_NAME, PROBE_ANSWER, PROBE_NAME, type SatellitePlan, WHOAMI_NAME } from './satellite-plan.ts'
import type { CandidateKind } from './satellite-resolvers.ts'
import { type PlannedDatagram, treatControl, treatNonResolver, treatPair } from './satellite-treatment.ts'

const RCODE_SERVFAIL = 2
const WRONG_PROBE_ANSWER = '203.0.113.7'

/** A response with what is not about the names of the plan. */
export interface PlannedResponse extends PlannedDatagram {
  /** PTR record. */
  readonly pointer?: string
  /** RA; true without it. */
  readonly isRecursive?: boolean
}

type Answers = (address: string, name: string, type: number) => readonly PlannedResponse[]

/** Prepares the answers. Names come in lower case, without a dot at the end. */
export function createSatelliteAnswers(plan: SatellitePlan): Answers {
  const domains = new Map(plan.domains.map((domain) => [domain.name, domain]))
  const resolvers = new Map(plan.resolvers.map((resolver) => [resolver.address, resolver]))
  const controls = new Map(plan.controls.map((control) => [control.address, control]))
  const candidates = new Map(plan.candidates.map(({ address, kind }) => [address, kind]))
  const nonResolvers = new Set(plan.nonResolvers)
  const pointers = new Map(
    [...plan.resolvers, ...plan.candidates, ...plan.controls].flatMap(({ address, name }) =>
      name === null ? [] : [[reverseName(address), name] as const],
    ),
  )
  return (address, name, type) => {
    const domain = domains.get(name)
    if (nonResolvers.has(address)) {
      return domain === undefined || type !== TYPE_A ? [] : treatNonResolver(plan, address, domain).datagrams
    }
    const kind = candidates.get(address)
    if (kind !== undefined) return answerCandidate(kind, name)
    const control = controls.get(address)
    if (control?.isBroken === true) return [failure(RCODE_SERVFAIL)]
    if (type === TYPE_PTR) {
      const pointer = control === undefined ? undefined : pointers.get(name)
      return pointer === undefined ? [failure(RCODE_NXDOMAIN)] : [{ ...failure(0), pointer }]
    }
    if (type !== TYPE_A) return [failure(0)]
    const resolver = resolvers.get(address)
    if (name === WHOAMI_NAME) return [success(resolver?.upstream ?? address)]
    if (name === PROBE_NAME || name === LIVENESS_NAME) return [success(PROBE_ANSWER)]
    if (domain === undefined) return [failure(RCODE_NXDOMAIN)]
    if (resolver !== undefined) return treatPair(plan, resolver, domain).datagrams
    return control === undefined ? [] : treatControl(plan, control, domain).datagrams
  }
}

/** They must be out of the list before a name of the plan is asked, so they have no answer for one. */
function answerCandidate(kind: CandidateKind, name: string): readonly PlannedResponse[] {
  if (kind === 'silent') return []
  if (name === LIVENESS_NAME) return kind === 'liveness_fails' ? [failure(RCODE_SERVFAIL)] : [success(PROBE_ANSWER)]
  if (name !== PROBE_NAME) return [failure(RCODE_NXDOMAIN)]
  if (kind === 'wrong_probe_answer') return [success(WRONG_PROBE_ANSWER)]
  return [{ ...success(PROBE_ANSWER), isRecursive: kind !== 'no_recursion' }]
}

function reverseName(address: string): string {
  return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
}

function success(address: string): PlannedResponse {
  return { afterMs: 0, rcode: 0, addresses: [address] }
}

function failure(rcode: number): PlannedResponse {
  return { afterMs: 0, rcode, addresses: [] }
}
