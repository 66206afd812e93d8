/**
 * What the control resolvers of a Satellite scan answered, per name: addresses, and the tags of those addresses.
 *
 * **Invariant**: grows with names and control addresses, not with rows. Pure.
 */
import type { SatelliteRow, SatelliteTags } from '../model/satellite-row.ts'

/** The control of one name. */
export interface ControlSet {
  readonly addresses: ReadonlySet<string>
  readonly http: ReadonlySet<string>
  readonly cert: ReadonlySet<string>
  readonly asnum: ReadonlySet<number>
  readonly asname: ReadonlySet<string>
  /** Questions to control resolvers for the name. One that never gave an address for any name is out of order, and not counted. */
  readonly asked: number
  /** Those of them that gave an address. */
  readonly answered: number
}

/** Finds the tags of an address. */
export type FindTags = (address: string) => SatelliteTags | undefined

/** Control sets while they grow. */
export interface ControlSets {
  /** Takes the row of a control resolver. */
  add(row: SatelliteRow): void
  /** The set of a name; an empty one for a name that no control resolver was asked for. Tags are looked up now. */
  find(domain: string, findTags: FindTags): ControlSet
}

interface Grown {
  readonly addresses: Set<string>
  /** Resolver → how often it was asked. */
  readonly asked: Map<string, number>
  answered: number
}

/** Begins with no control at all. */
export function createControlSets(): ControlSets {
  const byDomain = new Map<string, Grown>()
  const alive = new Set<string>()
  return {
    add: (row) => {
      const grown = byDomain.get(row.domain) ?? { addresses: new Set(), asked: new Map(), answered: 0 }
      byDomain.set(row.domain, grown)
      const answers = row.trials.filter((trial) => trial.purpose === 'test').flatMap((trial) => trial.answers)
      grown.asked.set(row.resolver, (grown.asked.get(row.resolver) ?? 0) + 1)
      if (answers.length > 0) {
        grown.answered++
        alive.add(row.resolver)
      }
      for (const { address } of answers) grown.addresses.add(address)
    },
    find: (domain, findTags) => {
      const grown = byDomain.get(domain)
      const tags = [...(grown?.addresses ?? [])].map((address) => findTags(address))
      const values = <Kind extends keyof SatelliteTags>(kind: Kind): ReadonlySet<NonNullable<SatelliteTags[Kind]>> =>
        new Set(tags.flatMap((each) => each?.[kind] ?? []) as NonNullable<SatelliteTags[Kind]>[])
      return {
        addresses: grown?.addresses ?? new Set(),
        http: values('http'),
        cert: values('cert'),
        asnum: values('asnum'),
        asname: values('asname'),
        asked: [...(grown?.asked ?? [])].reduce((sum, [resolver, count]) => sum + (alive.has(resolver) ? count : 0), 0),
        answered: grown?.answered ?? 0,
      }
    },
  }
}
