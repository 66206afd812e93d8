/** The lists of the satellite world, as the commands read them. */
import { BLOCK_SERVERS, BLOCK_SIGNATURES, FALSE_POSITIVE_SIGNATURES } from './satellite-block-servers.ts'
import type { SatellitePlan } from './satellite-plan.ts'
import type { CandidateKind } from './satellite-resolvers.ts'

/** Resolvers that are known by name and need no filter. */
const SPECIALS = 2
/** Whoever has such a name does not want to be asked. */
const OPTED_OUT_NAMES = '*.please-do-not.test'

/** Option of the commands → lines of its file. */
export function writeSatelliteLists(plan: SatellitePlan): ReadonlyMap<string, readonly string[]> {
  const { resolvers, candidates, controls, domains, nonResolvers } = plan
  const specials = resolvers.slice(0, SPECIALS)
  const addressesOf = (kind: CandidateKind): readonly string[] =>
    candidates.filter((candidate) => candidate.kind === kind).map(({ address }) => address)
  const all = [...resolvers.slice(SPECIALS), ...candidates].map(({ address }) => address)
  const lines = (entries: readonly { readonly address: string; readonly name: string }[]): readonly string[] =>
    entries.map(({ address, name }) => `${address} ${name}`)
  const signatures = (entries: readonly object[]): readonly string[] => entries.map((entry) => JSON.stringify(entry))
  return new Map([
    ['addresses', all.toSorted()],
    ['domains', domains.map(({ name }) => name)],
    ['control', lines(controls)],
    ['special', lines(specials)],
    ['blocklist', ['# ranges of machines that nobody may scan', ...addressesOf('blocklisted').map((it) => `${it}/32`)]],
    ['opt-out', [OPTED_OUT_NAMES, ...addressesOf('opted_out_address')]],
    ['non-resolvers', nonResolvers],
    ['block-addresses', [`${BLOCK_SERVERS.listed} state filter`, `${BLOCK_SERVERS.few}/32 notice of a provider`]],
    ['blockpage-signatures', signatures(BLOCK_SIGNATURES)],
    ['false-positive-signatures', signatures(FALSE_POSITIVE_SIGNATURES)],
  ])
}
