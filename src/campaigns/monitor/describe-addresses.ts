/**
 * What is known about addresses that are new for a name: whose they are, their name, who lists them, how risky they are.
 *
 * Invariant: at most eight addresses of a round are looked at, each once an hour. What nobody could say adds no risk.
 */
import type { Clock } from '../../core/clock.ts'
import { parseIp } from '../../core/ip-address.ts'
import { createAddressProviders, type ProvidedAddress } from '../../enrich/address-provider.ts'
import { createReputationLists } from '../../enrich/reputation-lists.ts'
import { reverseLabels, reverseName } from '../../enrich/reverse-name.ts'
import { NO_MONITOR_EXTRAS, type MonitorPlan } from '../../model/monitor-name.ts'
import type { AddressIntelligence, AnswerUnit } from '../../model/monitor-round.ts'
import type { MonitorProfile } from '../../model/monitor-state.ts'
import type { ClassifiedAnswer } from '../../verdicts/monitor-classes.ts'
import { assessRisk } from '../../verdicts/monitor-risk.ts'
import type { MonitorProbe } from './monitor-probe.ts'
import type { WatchCapabilities } from './watch-options.ts'

const ADDRESSES_MAX = 8
const KEPT_MS = 3_600_000
const KEPT_MAX = 5_000

/** Describes the new addresses of a round. */
export type AddressDescriber = (
  answers: readonly ClassifiedAnswer[],
  profile: MonitorProfile,
) => Promise<readonly AddressIntelligence[]>

interface Found {
  /** `undefined` when nobody could say. */
  readonly ptr: string | null | undefined
  readonly reputation: AddressIntelligence['reputation']
  readonly provided: ProvidedAddress | undefined
}

/** Prepares to describe. */
export function createAddressDescriber(
  capabilities: Pick<WatchCapabilities, 'addressPlan' | 'clock' | 'files' | 'http'>,
  { extras = NO_MONITOR_EXTRAS }: MonitorPlan,
  probe: Pick<MonitorProbe, 'lookUp'>,
  timeoutMs: number,
): AddressDescriber {
  const { addressPlan, clock, files, http } = capabilities
  const lists = files === undefined ? undefined : createReputationLists(files, clock, extras.reputation)
  const providers = http === undefined ? undefined : createAddressProviders(http, clock, extras.providers, timeoutMs)
  const find = createKept(clock, async (address): Promise<Found> => {
    const [ptr, listed, blocked, provided] = await Promise.all([
      findPtr(probe, address),
      lists?.find(address) ?? [],
      findBlocklists(probe, extras.blocklists, address),
      providers?.find(address),
    ])
    return { ptr, reputation: [...listed, ...blocked], provided }
  })
  const describe = async (unit: AnswerUnit, profile: MonitorProfile): Promise<AddressIntelligence> => {
    const octets = parseIp(unit.text)
    const owner = octets === undefined ? undefined : addressPlan.lookup(octets)
    // Nobody is asked about an address that is nobody's.
    const { ptr, reputation, provided } = unit.isBogus ? NOTHING : await find(unit.text)
    const country = unit.country ?? provided?.country ?? null
    const risk = assessRisk({ ...unit, country, asn: unit.asn ?? provided?.asn ?? null }, profile, {
      ptr: ptr === undefined ? 'not_looked_up' : ptr === null ? 'missing' : 'found',
      lists: [],
      hits: reputation,
      highRiskCountries: extras.highRiskCountries,
    })
    return {
      address: unit.text,
      country,
      region: provided?.region ?? null,
      asn: unit.asn ?? provided?.asn ?? null,
      org: owner?.asName ?? provided?.org ?? null,
      ...(ptr === undefined ? {} : { ptr }),
      reputation,
      ...risk,
    }
  }
  return async (answers, profile) => {
    const fresh = new Map(
      answers
        .flatMap(({ units }) => units)
        .filter((each) => each.unit.prefix !== null && (each.class === 'K3' || each.class === 'K4'))
        .map(({ unit }) => [unit.text, unit]),
    )
    return Promise.all([...fresh.values()].slice(0, ADDRESSES_MAX).map((unit) => describe(unit, profile)))
  }
}

const NOTHING: Found = { ptr: undefined, reputation: [], provided: undefined }

async function findPtr(probe: Pick<MonitorProbe, 'lookUp'>, address: string): Promise<string | null | undefined> {
  const name = reverseName(address)
  const reply = name === undefined ? undefined : await probe.lookUp(name, 'PTR')
  return reply === undefined ? undefined : (reply.values[0] ?? null)
}

/** RFC 5782: a listed address has an A record in 127/8 below the list's zone. */
async function findBlocklists(
  probe: Pick<MonitorProbe, 'lookUp'>,
  blocklists: NonNullable<MonitorPlan['extras']>['blocklists'],
  address: string,
): Promise<AddressIntelligence['reputation']> {
  const labels = reverseLabels(address)
  const found = await Promise.all(
    blocklists.map(async ({ zone, name, category }) => {
      const reply = await probe.lookUp(`${labels}.${zone}`, 'A')
      return reply?.values.some((value) => /^127\.0\.[01]\./.test(value)) === true
        ? { list: name, category }
        : undefined
    }),
  )
  return found.filter((each) => each !== undefined)
}

/** Keeps what was found about addresses for an hour. */
function createKept(clock: Clock, find: (address: string) => Promise<Found>): (address: string) => Promise<Found> {
  const kept = new Map<string, { readonly atMs: number; readonly found: Promise<Found> }>()
  return (address) => {
    const known = kept.get(address)
    if (known !== undefined && clock.nowMs() - known.atMs < KEPT_MS) return known.found
    kept.delete(address)
    const oldest = kept.keys().next()
    if (kept.size >= KEPT_MAX && oldest.done !== true) kept.delete(oldest.value)
    const found = find(address)
    kept.set(address, { atMs: clock.nowMs(), found })
    return found
  }
}
