/**
 * Relays that come and go, as a year of the Tor network has them: a few networks hold most of them, a few operators run
 * many, and most live for some months.
 *
 * **Invariant**: all names and addresses are reserved ones (10/8, private AS numbers, `.example`), so that nothing that is
 * generated can be taken for somebody real. The same random numbers give the same relays.
 *
 * **Sources**: RFC 1918, RFC 6996, RFC 2606; the shares follow what metrics of the public network look like.
 */
import { randomInt, type Random } from '../core/random.ts'

const NETWORKS = 160
/** About one operator for four exits. */
const RELAYS_PER_OPERATOR = 4
const COUNTRIES = [
  'DE',
  'US',
  'NL',
  'FR',
  'SE',
  'CH',
  'RO',
  'FI',
  'AT',
  'LU',
  'PL',
  'GB',
  'CA',
  'UA',
  'IS',
  'JP',
] as const
/** Mean life in runs: ten months of four runs a day. */
const LIFE_RUNS = 1200
const PRIVATE_AS_FIRST = 64_512

/** Where relays stand. */
export interface GeneratedNetwork {
  readonly index: number
  /** `AS64512 Example Network 1`. */
  readonly name: string
  readonly country: string
}

/** Who runs relays. */
export interface GeneratedOperator {
  readonly index: number
  /** `operator7.example`; `null` for relays without contact. */
  readonly name: string | null
  /** Its relays just now, sorted; replaced whenever one comes or goes. */
  family: readonly string[]
}

/** One relay. */
export interface GeneratedRelay {
  readonly fingerprint: string
  readonly nickname: string
  readonly address: string
  readonly network: GeneratedNetwork
  readonly operator: GeneratedOperator
  readonly hasIpv6: boolean
  readonly weight: number
  /** Number of the run from which on it is there no more. */
  readonly leavesAt: number
}

/** The relays of the network. */
export interface GeneratedPopulation {
  readonly networks: readonly GeneratedNetwork[]
  readonly operators: readonly GeneratedOperator[]
  /** Relays in order of fingerprint; replaced by {@link GeneratedPopulation.advance}. */
  readonly relays: readonly GeneratedRelay[]
  /** Lets relays leave and others come. @returns Whether anything changed. */
  advance(run: number): boolean
}

/** @param size - How many relays there are at any time. */
export function createPopulation(random: Random, size: number): GeneratedPopulation {
  const networks = Array.from({ length: NETWORKS }, (_, index) => ({
    index,
    name: `AS${PRIVATE_AS_FIRST + index} Example Network ${index + 1}`,
    country: COUNTRIES[skewed(random, COUNTRIES.length)] ?? 'DE',
  }))
  const operators = Array.from({ length: Math.max(1, Math.ceil(size / RELAYS_PER_OPERATOR)) }, (_, index) => ({
    index,
    // One in six says nothing about itself.
    name: index % 6 === 5 ? null : `operator${index + 1}.example`,
    family: [] as readonly string[],
  }))
  let born = 0
  const create = (run: number): GeneratedRelay => {
    born++
    const network = networks[skewed(random, networks.length)] as GeneratedNetwork
    const operator = operators[skewed(random, operators.length)] as GeneratedOperator
    return {
      fingerprint: Array.from({ length: 5 }, () => random.nextUint32().toString(16).padStart(8, '0'))
        .join('')
        .toUpperCase(),
      nickname: operator.name === null ? `relay${born}` : `op${operator.index + 1}exit${born}`,
      address: `10.${network.index}.${(born >> 8) & 255}.${born & 255}`,
      network,
      operator,
      hasIpv6: randomInt(random, 100) < 40,
      weight: 100 + randomInt(random, 50_000),
      leavesAt: run + 1 + exponential(random, LIFE_RUNS),
    }
  }
  let relays = inOrder(Array.from({ length: size }, () => create(0)))
  nameFamilies(operators, relays, operators)
  return {
    networks,
    operators,
    get relays() {
      return relays
    },
    advance: (run) => {
      const staying = relays.filter((relay) => relay.leavesAt > run)
      if (staying.length === relays.length) return false
      const leaving = relays.filter((relay) => relay.leavesAt <= run)
      const coming = leaving.map(() => create(run))
      relays = inOrder([...staying, ...coming])
      nameFamilies(
        operators,
        relays,
        [...leaving, ...coming].map((relay) => relay.operator),
      )
      return true
    },
  }
}

/** @returns A number from 0 to `count` − 1; low ones far more often than high ones. */
export function skewed(random: Random, count: number): number {
  return Math.floor(fraction(random) ** 3 * count)
}

/** @returns A whole number with this mean, exponentially distributed. */
export function exponential(random: Random, mean: number): number {
  return Math.floor(-Math.log(1 - fraction(random)) * mean)
}

/** @returns 0 to almost 1. */
export function fraction(random: Random): number {
  return random.nextUint32() / 0x1_0000_0000
}

function inOrder(relays: readonly GeneratedRelay[]): readonly GeneratedRelay[] {
  return relays.toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
}

function nameFamilies(
  operators: readonly GeneratedOperator[],
  relays: readonly GeneratedRelay[],
  changed: readonly GeneratedOperator[],
): void {
  const members = Map.groupBy(relays, (relay) => relay.operator)
  for (const operator of new Set(changed)) {
    if (operator.name === null || !operators.includes(operator)) continue
    const own = members.get(operator) ?? []
    operator.family = own.length < 2 ? [] : own.map((relay) => relay.fingerprint)
  }
}
