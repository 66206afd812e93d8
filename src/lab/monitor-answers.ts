/**
 * What the servers of the monitor's world say: resolvers, the parent, and the authoritative servers of each script's zone.
 *
 * Invariant: what is said follows from the script, the moment and the seed. Names: `www.SCRIPT.example`, each zone
 * delegated from a parent that is the root at the same time; below `many.example` every name exists, for load.
 */
import { createSeededRandom, randomInt } from '../core/random.ts'
import type { Clock } from '../core/clock.ts'
import { parseIp } from '../core/ip-address.ts'
import type { DnsMessage, ResourceRecord } from '../dns/message.ts'
import { formatName, parseName, type Name } from '../dns/name.ts'
import { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../dns/rcode.ts'
import type { Rdata } from '../dns/rdata.ts'
import {
  CLASS_IN,
  TYPE_A,
  TYPE_AAAA,
  TYPE_CAA,
  TYPE_DS,
  TYPE_MX,
  TYPE_NS,
  TYPE_PTR,
  TYPE_SOA,
  TYPE_TXT,
} from '../dns/rr-type.ts'
import type { MonitorScript, ScriptAddress, ScriptAnswer, ScriptMoment } from './monitor-scripts.ts'

/** The top of the world: what all zones are delegated from. */
const TOP = 'example'
/** Names below it exist without a script. */
const MANY_ZONE = 'many.example'
const PARENT_TTL = 86_400
const MINUTE_MS = 60_000
/** So long everybody who asks is asked at the same time, in minutes of the world. */
const ROUND_MINUTES = 0.05
const DRAWS = 1_000_000
/** Networks of 127/8 whose numbers differ; the fourth moves to 198.19. */
const OWN_NETWORKS: ReadonlyMap<number, number> = new Map([
  [20, 40],
  [21, 41],
  [22, 42],
  [30, 33],
])
const ATTACKERS_FROM = 66
const ACCESS_NETWORKS = 20

/** Says what a server answers. */
export interface MonitorAnswers {
  /** @param resolver - 0 to 2. */
  resolve(resolver: number, query: DnsMessage): DnsMessage
  /** What a server of the parent says. */
  delegate(query: DnsMessage): DnsMessage
  /** What an authoritative server says. @param server - 0 or 1. */
  serve(server: number, query: DnsMessage): DnsMessage
}

/** The domain of a script. */
export function scriptDomain({ name }: Pick<MonitorScript, 'name'>): string {
  return `www.${name}.${TOP}`
}

/** The laboratory's address for a script's. */
export function toLabAddress({ as, net, host }: ScriptAddress): string {
  if (as >= ATTACKERS_FROM) {
    // 198.18/16 has twenty networks that take turns by the third octet.
    const network = as === 99 ? 7 : as - ATTACKERS_FROM
    return `198.18.${network + ACCESS_NETWORKS * (net % 12)}.${host}`
  }
  // Every eighth /24 of 198.19.0/19 belongs to the same provider.
  if (as === 40) return `198.19.${(net - 1) * 8}.${host + 200}`
  return `127.${OWN_NETWORKS.get(as) ?? 40}.${net}.${host}`
}

/** What a world's servers are made of. */
export interface MonitorAnswersOptions {
  readonly scripts: readonly MonitorScript[]
  readonly seed: string
  /** The time of the world: scripts act by it. */
  readonly clock: Clock
  readonly startedAtMs: number
  readonly startMinute: number
  /** Addresses of the authoritative servers. */
  readonly servers: readonly string[]
}

/** Makes the answers of a world. */
export function createMonitorAnswers(options: MonitorAnswersOptions): MonitorAnswers {
  const { scripts, clock, startedAtMs } = options
  const byZone = new Map(scripts.map((script) => [`${script.name}.${TOP}`, script]))
  const nowMinute = (): number => (clock.nowMs() - startedAtMs) / MINUTE_MS
  const moment = createMoments(options, nowMinute)
  const find = (name: string): MonitorScript | undefined => byZone.get(name.split('.').slice(-2).join('.'))
  return {
    resolve: (resolver, query) => {
      const [asked, type] = questionOf(query)
      const script = find(asked)
      if (asked.endsWith('.arpa')) return reply(query, answerPtr(asked, type))
      if (isMany(asked)) return reply(query, answerMany(asked, type))
      if (script === undefined) return reply(query, { rcode: RCODE_NXDOMAIN })
      const said = sayScript(script, asked, type, nowMinute(), () => script.answer(moment(script, resolver)))
      return reply(query, said ?? answerZone(options, script, asked, type, 0, nowMinute()))
    },
    delegate: (query) => {
      const [asked, type] = questionOf(query)
      const script = find(asked)
      if (script === undefined && !isMany(asked)) return reply(query, { rcode: RCODE_NXDOMAIN, authoritative: true })
      return reply(query, delegateZone(options, script, asked, type, nowMinute()))
    },
    serve: (server, query) => {
      const [asked, type] = questionOf(query)
      const script = find(asked)
      if (isMany(asked)) return reply(query, { ...answerMany(asked, type), authoritative: true })
      if (script === undefined) return reply(query, { rcode: RCODE_NXDOMAIN, authoritative: true })
      const said = sayScript(script, asked, type, nowMinute(), () => script.truth(moment(script, 3 + server)))
      const zone = said ?? answerZone(options, script, asked, type, server, nowMinute())
      return reply(query, { ...zone, authoritative: true })
    },
  }
}

/** What a reply says; what is absent is empty. */
interface Said {
  readonly rcode?: number
  readonly authoritative?: boolean
  readonly answers?: readonly ResourceRecord[]
  readonly authorities?: readonly ResourceRecord[]
  readonly additionals?: readonly ResourceRecord[]
}

function reply(query: DnsMessage, said: Said): DnsMessage {
  const { rcode = RCODE_NOERROR, authoritative = false, answers = [], authorities = [], additionals = [] } = said
  const header = {
    ...query.header,
    response: true,
    authoritative,
    recursionAvailable: !authoritative,
    authenticData: false,
    truncated: false,
    rcode,
  }
  return { ...query, header, answers, authorities, additionals }
}

function questionOf({ questions }: DnsMessage): readonly [name: string, type: number] {
  const [question] = questions
  return question === undefined ? ['', 0] : [formatName(question.name).toLowerCase(), question.type]
}

function record(name: string, type: number, ttl: number, rdata: Rdata): ResourceRecord {
  return { name: nameOf(name), type, class: CLASS_IN, ttl, rdata }
}

/** Names of this file are valid; the root stands for a mistake. */
function nameOf(text: string): Name {
  return parseName(text) ?? []
}

/** Moments of scripts: draws follow from the seed, and questions are counted from when the script acts. */
function createMoments(
  { seed, startMinute }: MonitorAnswersOptions,
  nowMinute: () => number,
): (script: MonitorScript, who: number) => ScriptMoment {
  const randoms = new Map<string, ReturnType<typeof createSeededRandom>>()
  const counts = new Map<string, number>()
  return ({ name }, who) => {
    const minute = nowMinute()
    const key = `${name} ${who}`
    const random = randoms.get(key) ?? createSeededRandom(`${seed} ${key}`)
    randoms.set(key, random)
    const asked = counts.get(key) ?? 0
    if (minute >= startMinute) counts.set(key, asked + 1)
    const round = createSeededRandom(`${seed} ${name} ${Math.floor(minute / ROUND_MINUTES)}`)
    return {
      minute,
      resolver: who,
      asked,
      draw: (below) => randomInt(random, below),
      roundDraw: randomInt(round, DRAWS),
    }
  }
}

/** What a script says about its own name; `undefined` for other questions. */
function sayScript(
  script: MonitorScript,
  asked: string,
  type: number,
  minute: number,
  say: () => ScriptAnswer,
): Said | undefined {
  if (asked !== scriptDomain(script) || type !== TYPE_A) return undefined
  const said = say()
  if (said === 'servfail') return { rcode: RCODE_SERVFAIL }
  if (said === 'nxdomain') return { rcode: RCODE_NXDOMAIN }
  if (said === 'nodata') return {}
  const ttl = script.ttl(minute)
  return {
    answers: said.map((each) => record(asked, TYPE_A, ttl, { kind: 'a', address: toLabAddress(each) })),
  }
}

function answerZone(
  { startedAtMs: _started, servers }: MonitorAnswersOptions,
  script: MonitorScript,
  asked: string,
  type: number,
  server: number,
  minute: number,
): Said {
  const zone = `${script.name}.${TOP}`
  const { areSerialsApart, hasDs } = script.zone(minute)
  if (asked === zone && type === TYPE_SOA) {
    const serial = areSerialsApart && server > 0 ? 2026_010_100 : 2026_010_101
    return { answers: [record(zone, TYPE_SOA, PARENT_TTL, soaOf(zone, serial))] }
  }
  if (asked === zone && type === TYPE_NS)
    return { answers: [1, 2].map((index) => record(zone, TYPE_NS, PARENT_TTL, nsOf(`ns${index}.${zone}`))) }
  if (asked === zone && type === TYPE_DS) return hasDs ? { answers: [dsOf(zone)] } : {}
  const nameServer = /^ns([12])\./.exec(asked)?.[1]
  if (nameServer !== undefined && type === TYPE_A) {
    const address = servers[Number(nameServer) - 1] ?? ''
    return { answers: [record(asked, TYPE_A, PARENT_TTL, { kind: 'a', address })] }
  }
  return asked === zone || asked === scriptDomain(script) ? {} : { rcode: RCODE_NXDOMAIN }
}

function delegateZone(
  { servers }: MonitorAnswersOptions,
  script: MonitorScript | undefined,
  asked: string,
  type: number,
  minute: number,
): Said {
  const zone = script === undefined ? MANY_ZONE : `${script.name}.${TOP}`
  const looks = script?.zone(minute)
  if (type === TYPE_DS && asked === zone)
    return looks?.hasDs === true ? { authoritative: true, answers: [dsOf(zone)] } : { authoritative: true }
  const names =
    looks?.hasOtherServers === true ? ['ns1.thief.example', 'ns2.thief.example'] : [`ns1.${zone}`, `ns2.${zone}`]
  return {
    authorities: names.map((name) => record(zone, TYPE_NS, PARENT_TTL, nsOf(name))),
    additionals: names.map((name, index) =>
      record(name, TYPE_A, PARENT_TTL, { kind: 'a', address: servers[index] ?? '' }),
    ),
  }
}

function nsOf(name: string): Rdata {
  return { kind: 'ns', name: nameOf(name) }
}

function soaOf(zone: string, serial: number): Rdata {
  const times = { refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 604_800, minimumSeconds: 60 }
  return { kind: 'soa', primary: nameOf(`ns1.${zone}`), mailbox: nameOf(`hostmaster.${zone}`), serial, ...times }
}

function dsOf(zone: string): ResourceRecord {
  const digest = new Uint8Array(32).fill(zone.length)
  return record(zone, TYPE_DS, PARENT_TTL, { kind: 'ds', keyTag: 4_711, algorithm: 13, digestType: 2, digest })
}

/** Addresses of owners and providers have names; attackers' have none. */
function answerPtr(asked: string, type: number): Said {
  const address = asked
    .replace(/\.in-addr\.arpa$/, '')
    .split('.')
    .toReversed()
    .join('.')
  const isNamed = parseIp(address) !== undefined && !address.startsWith('198.18.')
  if (!isNamed || type !== TYPE_PTR) return { rcode: RCODE_NXDOMAIN }
  const name = nameOf(`host-${address.replaceAll('.', '-')}.${TOP}`)
  return { answers: [record(asked, TYPE_PTR, PARENT_TTL, { kind: 'ptr', name })] }
}

function isMany(asked: string): boolean {
  return asked === MANY_ZONE || asked.endsWith(`.${MANY_ZONE}`)
}

/** Every name has the same kind of records, which never change. */
function answerMany(asked: string, type: number): Said {
  const host = 1 + (new TextEncoder().encode(asked).reduce((sum, octet) => sum + octet, 0) % 250)
  const text = (words: string): Uint8Array => new TextEncoder().encode(words)
  const rdata: Rdata | undefined = {
    [TYPE_A]: { kind: 'a', address: `127.40.200.${host}` } as const,
    [TYPE_AAAA]: { kind: 'aaaa', address: `2001:db8:40::${host.toString(16)}` } as const,
    [TYPE_MX]: { kind: 'mx', preference: 10, exchange: nameOf(`mail.${MANY_ZONE}`) } as const,
    [TYPE_TXT]: { kind: 'txt', strings: [text('v=spf1 mx -all')] } as const,
    [TYPE_CAA]: { kind: 'caa', flags: 0, tag: 'issue', value: text('ca.example') } as const,
    [TYPE_NS]: { kind: 'ns', name: nameOf(`ns1.${MANY_ZONE}`) } as const,
    [TYPE_SOA]: soaOf(MANY_ZONE, 1) as Extract<Rdata, { kind: 'soa' }>,
  }[type]
  return rdata === undefined ? {} : { answers: [record(asked, type, 300, rdata)] }
}
