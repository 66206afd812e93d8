/**
 * Every rule of our own over a whole scan: a survey of all rows, then findings of each row, then what the groups say.
 *
 * **Invariant**: each row is shown twice, first to `survey`, then to `judge`. Grows with names, addresses, resolvers and
 * groups, not with rows.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { parseIp } from '../../core/ip-address.ts'
import type { SatelliteAggregate } from '../../model/satellite-aggregate.ts'
import type { SatelliteQueryPackets } from '../../model/satellite-evidence.ts'
import type { SatelliteFinding, SatelliteJudgement, SatelliteOutcome } from '../../model/satellite-finding.ts'
import type { JsonFields, SatelliteRow } from '../../model/satellite-row.ts'
import { createSatelliteAggregates, type ResolverGroups } from '../../verdicts/satellite-aggregates.ts'
import { createAddressSpread } from '../../verdicts/satellite-as-of-many.ts'
import {
  listSatelliteFindings,
  sharesNothingWithControl,
  type SatelliteEvidence,
} from '../../verdicts/satellite-findings.ts'
import { judgeFindings } from '../../verdicts/satellite-judgement.ts'
import type { FindBlockAddress } from '../../verdicts/satellite-known-block.ts'
import { tellOutcome } from '../../verdicts/satellite-outcome.ts'
import { createResolverProfiles, detectUnreliableResolver } from '../../verdicts/satellite-unreliable.ts'
import { assignGroups } from '../../verdicts/satellite-voters.ts'
import type { ScanFacts } from './scan-facts.ts'

/** What a judge is told. */
export interface JudgeOptions {
  readonly facts: ScanFacts
  readonly plan: AddressPlan
  readonly findBlockAddress: FindBlockAddress
}

/** What our rules say of a pair. */
export interface PairJudgement {
  readonly findings: readonly SatelliteFinding[]
  readonly judgement: SatelliteJudgement
  readonly outcome: SatelliteOutcome
  /** The autonomous system of the resolver; `null` when not known. */
  readonly asnum: number | null
}

/** The rules while a scan is gone through. */
export interface ScanJudge {
  /** Takes a row, judged by the published rule or not. */
  readonly survey: (row: SatelliteRow) => void
  /** Judges a row of which the survey is complete, and counts it for its groups. */
  judge(row: SatelliteRow, packets: readonly SatelliteQueryPackets[]): PairJudgement
  /** One record for each group and name. */
  aggregates(): readonly SatelliteAggregate[]
  /** One record for each resolver, as v2.3 has it. */
  profiles(): Iterable<JsonFields>
}

/** Begins with nothing seen. */
export function createScanJudge({ facts, plan, findBlockAddress }: JudgeOptions): ScanJudge {
  const profiles = createResolverProfiles(plan)
  const spread = createAddressSpread()
  const countries = new Map<string, string | null>()
  const aggregates = createSatelliteAggregates()
  let groups: ReadonlyMap<string, ResolverGroups> | undefined
  const isNonResolver = (resolver: string): boolean => facts.findResolver(resolver)?.isNonResolver === true
  const findAsnum = (resolver: string): number | null =>
    facts.findResolver(resolver)?.asnum ?? lookUpAsnum(plan, resolver)
  const evidence: SatelliteEvidence = {
    findControl: facts.findControl,
    findTags: facts.findTags,
    findFetch: facts.findFetch,
    findBlockAddress,
    findCdnCertificate: facts.findCdnCertificate,
    isNonResolver,
    plan,
    findBlockServer: spread.find,
    // Where no resolver is, silence is as it should be.
    findProfile: (resolver) => (isNonResolver(resolver) ? undefined : profiles.find(resolver)),
  }
  const assign = (): ReadonlyMap<string, ResolverGroups> =>
    assignGroups(
      [...countries].map(([address, country]) => ({
        address,
        country,
        as: findAsnum(address)?.toString() ?? null,
        upstream: facts.findResolver(address)?.upstream ?? null,
        isReliable: !isNonResolver(address) && detectUnreliableResolver(profiles.find(address)) === undefined,
      })),
    )
  return {
    survey: (row) => {
      profiles.add(row, facts.findFetch)
      spread.add(row, sharesNothingWithControl(row, evidence))
      countries.set(row.resolver, row.location?.countryCode ?? row.location?.countryName ?? null)
    },
    judge: (row, packets) => {
      groups ??= assign()
      const findings = listSatelliteFindings(row, packets, evidence)
      const judgement = judgeFindings(findings)
      const voter = groups.get(row.resolver)
      // Who failed the liveness test was not measured.
      if (voter !== undefined && row.passedLiveness !== false) aggregates.add(voter, row.domain, judgement)
      const outcome = tellOutcome(row, findings, facts.findFetch)
      return { findings, judgement, outcome, asnum: findAsnum(row.resolver) }
    },
    aggregates: () => aggregates.list(),
    *profiles() {
      for (const resolver of profiles.resolvers()) yield formatProfile(resolver, profiles.find(resolver))
    },
  }
}

function lookUpAsnum(plan: AddressPlan, address: string): number | null {
  const octets = parseIp(address)
  return octets === undefined ? null : (plan.lookup(octets)?.asn ?? null)
}

/** Rates are texts with four digits, as published. */
function formatProfile(
  resolver: string,
  profile: ReturnType<ReturnType<typeof createResolverProfiles>['find']>,
): JsonFields {
  return {
    resolver,
    non_zero_rcode: (profile?.nonZeroRcode ?? 0).toFixed(4),
    private_ip: (profile?.privateAnswer ?? 0).toFixed(4),
    zero_ip: (profile?.zeroAnswer ?? 0).toFixed(4),
    connect_error: (profile?.connectError ?? 0).toFixed(4),
    invalid_cert: (profile?.invalidCertificate ?? 0).toFixed(4),
    pairs: profile?.pairs ?? 0,
  }
}
