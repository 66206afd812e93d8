/**
 * The world `domains`: a list of names of which some are dead and some flaky, and upstreams of which some throttle and one
 * lies.
 *
 * Invariant: what a name is depends on the name alone, so that the truth about any list is known.
 */
import { joinPath } from '../core/files.ts'
import { createSeededRandom, randomInt } from '../core/random.ts'
import type { DnsMessage, ResourceRecord } from '../dns/message.ts'
import { formatName, parseName } from '../dns/name.ts'
import { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../dns/rcode.ts'
import { CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_SOA } from '../dns/rr-type.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'
import { serveDns, type DnsServer } from './serve-dns.ts'
import type { StartWorld, World, WorldMachine } from './world.ts'

/** Everything in it is a name of the world. */
export const DOMAINS_ZONE = 'names.example'
/** Has an address at every honest upstream. */
export const DOMAINS_CANARY: string = `canary.${DOMAINS_ZONE}`
/** Filtering upstreams answer 0.0.0.0 for it. */
export const DOMAINS_BLOCKED: string = `blocked.${DOMAINS_ZONE}`

const NAMES = 2_000
const WILDCARDS = 40
const DEAD_SHARE = 0.1
const FLAKY_SHARE = 0.05
const IPV6_SHARE = 0.3
/** Of the answers for flaky names. */
const FLAKY_SERVFAIL_SHARE = 0.35
const FLAKY_SILENT_SHARE = 0.15
const TTL_SECONDS = 600
const NEGATIVE_SECONDS = 300
const DNS_PORT = 53
const FILE_MODE = 0o600

/** What a name of the world is. */
export type DomainKind = 'good' | 'dead' | 'flaky'

/** How an upstream behaves. */
export interface UpstreamManner {
  readonly operator: string
  /** Queries per second that are answered, the rest is dropped; 0 for all. */
  readonly answeredPerSecond: number
  /** Share of the names that it denies although they are there. */
  readonly deniedShare: number
  /** Whether it answers 0.0.0.0 for what is blocked. */
  readonly isFiltering: boolean
}

/** Three operators that are honest, two upstreams that throttle, one that lies. */
export const UPSTREAM_MANNERS: readonly UpstreamManner[] = [
  { operator: 'alpha', answeredPerSecond: 0, deniedShare: 0, isFiltering: false },
  { operator: 'beta', answeredPerSecond: 0, deniedShare: 0, isFiltering: false },
  { operator: 'gamma', answeredPerSecond: 0, deniedShare: 0, isFiltering: true },
  { operator: 'beta', answeredPerSecond: 40, deniedShare: 0, isFiltering: false },
  { operator: 'delta', answeredPerSecond: 40, deniedShare: 0, isFiltering: false },
  { operator: 'epsilon', answeredPerSecond: 0, deniedShare: 0.4, isFiltering: false },
]

/** What a name is, whoever is asked. */
export function findDomainKind(name: string): DomainKind {
  if (name === DOMAINS_CANARY || name === DOMAINS_BLOCKED || !name.endsWith(`.${DOMAINS_ZONE}`)) return 'good'
  if (!/^n\d/.test(name)) return name.startsWith('w') ? 'good' : 'dead'
  const share = shareOf(`kind ${name}`)
  return share < DEAD_SHARE ? 'dead' : share < DEAD_SHARE + FLAKY_SHARE ? 'flaky' : 'good'
}

/** The names of a list of `count`; the first has the number `from`. */
export function nameDomains(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, at) => `n${from + at}.${DOMAINS_ZONE}`)
}

/** Starts one upstream. @throws {NetError} */
export function startUpstream(
  { net, clock }: Pick<WorldMachine, 'net' | 'clock'>,
  manner: UpstreamManner,
  seed: string,
): Promise<DnsServer> {
  const random = createSeededRandom(seed)
  let [tokens, filledAtMs] = [manner.answeredPerSecond, clock.nowMs()]
  const isDropped = (): boolean => {
    if (manner.answeredPerSecond === 0) return false
    const nowMs = clock.nowMs()
    const filled = tokens + ((nowMs - filledAtMs) * manner.answeredPerSecond) / 1000
    tokens = Math.min(manner.answeredPerSecond, filled)
    filledAtMs = nowMs
    if (tokens < 1) return true
    tokens -= 1
    return false
  }
  return serveDns(net, { address: '127.0.0.1', port: 0 }, (query) => {
    const dice = randomInt(random, 1_000_000) / 1_000_000
    return Promise.resolve(isDropped() ? undefined : answerDomain(query, manner, dice))
  })
}

/** Starts the world. */
export const startDomainsWorld: StartWorld = async (machine, { seed, directory }) => {
  const servers: DnsServer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
  }
  try {
    for (const [index, manner] of UPSTREAM_MANNERS.entries())
      servers.push(await startUpstream(machine, manner, `${seed} ${index}`))
    const list = joinPath(directory, 'domains.txt')
    const wildcards = joinPath(directory, 'wildcards.txt')
    const names = nameDomains(NAMES)
    const stars = Array.from({ length: WILDCARDS }, (_, at) => `*.w${at}.${DOMAINS_ZONE}`)
    await machine.files.writeAtomic(list, toText(['# names of the laboratory', ...names]), FILE_MODE)
    await machine.files.writeAtomic(wildcards, toText(stars), FILE_MODE)
    return { ...describe(servers, names, list, wildcards), close }
  } catch (error) {
    await close()
    throw error
  }
}

function describe(
  servers: readonly DnsServer[],
  names: readonly string[],
  list: string,
  wildcards: string,
): Omit<World, 'close'> {
  const upstreams = servers.map(({ endpoint }, at) => ({
    address: `127.${61 + at}.0.53`,
    ...(UPSTREAM_MANNERS[at] as UpstreamManner),
    endpoint,
  }))
  const routes = upstreams.flatMap(({ address, endpoint }) =>
    (['udp', 'tcp'] as const).map((protocol): LaboratoryRoute => ({ protocol, address, port: DNS_PORT, to: endpoint })),
  )
  const kinds = names.map(findDomainKind)
  const count = (kind: DomainKind): number => kinds.filter((each) => each === kind).length
  return {
    description: {
      summary: `${names.length} names, ${count('dead')} of them dead and ${count('flaky')} flaky; 6 upstreams: 2 throttle, 1 lies`,
      command: 'domains sync --data-dir DIRECTORY',
      list,
      wildcards,
      zone: DOMAINS_ZONE,
      upstreams: upstreams.map(({ address, operator, answeredPerSecond, deniedShare, isFiltering }) => ({
        address,
        operator,
        answered_per_second: answeredPerSecond,
        denied_share: deniedShare,
        filtering: isFiltering,
      })),
      truth: {
        dead: names.filter((_, at) => kinds[at] === 'dead'),
        flaky: names.filter((_, at) => kinds[at] === 'flaky'),
      },
    },
    routes,
    environment: {
      CANDOR_DOMAINS_LIST: list,
      CANDOR_DOMAINS_WILDCARD_LIST: wildcards,
      CANDOR_DOMAINS_RESOLVERS: upstreams.map(({ address, operator }) => `${address} ${operator}`).join(','),
      CANDOR_DOMAINS_CANARIES: DOMAINS_CANARY,
      CANDOR_DOMAINS_CANARY_ZONE: DOMAINS_ZONE,
      CANDOR_DOMAINS_CANARY_BLOCKED: DOMAINS_BLOCKED,
    },
  }
}

function answerDomain(query: DnsMessage, manner: UpstreamManner, dice: number): DnsMessage | undefined {
  const [question] = query.questions
  if (question === undefined) return undefined
  const name = formatName(question.name).toLowerCase()
  const kind = findDomainKind(name)
  if (kind === 'flaky' && dice < FLAKY_SILENT_SHARE) return undefined
  if (kind === 'flaky' && dice < FLAKY_SILENT_SHARE + FLAKY_SERVFAIL_SHARE) return reply(query, RCODE_SERVFAIL, [])
  const isDenied = manner.deniedShare > 0 && shareOf(`denied ${name}`) < manner.deniedShare
  if (kind === 'dead' || isDenied) return reply(query, RCODE_NXDOMAIN, [])
  if (manner.isFiltering && name === DOMAINS_BLOCKED) {
    const filtered = { ...question, ttl: TTL_SECONDS, rdata: { kind: 'a', address: '0.0.0.0' } as const }
    return reply(query, RCODE_NOERROR, question.type === TYPE_A ? [filtered] : [])
  }
  return reply(query, RCODE_NOERROR, recordsOf(name, question))
}

/** One address of each family, made of the name. */
function recordsOf(name: string, { name: owner, type }: DnsMessage['questions'][number]): readonly ResourceRecord[] {
  const number = Math.floor(shareOf(`address ${name}`) * 0x1_0000)
  const common = { name: owner, type, class: CLASS_IN, ttl: TTL_SECONDS }
  const [high, low] = [number >> 8, number & 0xff]
  if (type === TYPE_A) return [{ ...common, rdata: { kind: 'a', address: `198.18.${high}.${low}` } }]
  const hasIpv6 = type === TYPE_AAAA && shareOf(`ipv6 ${name}`) < IPV6_SHARE
  return hasIpv6 ? [{ ...common, rdata: { kind: 'aaaa', address: `2001:db8:${high}:${low}::10` } }] : []
}

function reply(query: DnsMessage, rcode: number, answers: readonly ResourceRecord[]): DnsMessage {
  const zone = parseName(DOMAINS_ZONE) ?? []
  const soa: ResourceRecord = {
    name: zone,
    type: TYPE_SOA,
    class: CLASS_IN,
    ttl: NEGATIVE_SECONDS,
    rdata: {
      kind: 'soa',
      primary: zone,
      mailbox: zone,
      serial: 1,
      refreshSeconds: 3600,
      retrySeconds: 600,
      expireSeconds: 86_400,
      minimumSeconds: NEGATIVE_SECONDS,
    },
  }
  const isNegative = answers.length === 0 && (rcode === RCODE_NXDOMAIN || rcode === RCODE_NOERROR)
  return {
    ...query,
    header: {
      ...query.header,
      response: true,
      recursionAvailable: true,
      authoritative: false,
      truncated: false,
      rcode,
    },
    answers,
    authorities: isNegative ? [soa] : [],
    additionals: [],
    edns: undefined,
  }
}

function shareOf(text: string): number {
  return createSeededRandom(text).nextUint32() / 0x1_0000_0000
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
