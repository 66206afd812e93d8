/**
 * A recursive resolver that misbehaves on command: what stands behind a laboratory exit.
 *
 * It really asks the laboratory's authority, over sockets and from its own address, unless its fault is never to ask; so
 * the authority's log is written by the authority alone.
 *
 * Invariant: behaves as told, always; nothing depends on chance or on what it was asked before.
 */
import { assertNever } from '../core/assert.ts'
import { type Clock, sleep } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { DnsMessage, Question, ResourceRecord } from '../dns/message.ts'
import { formatName, type Name, nameIsUnder } from '../dns/name.ts'
import { RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../dns/rcode.ts'
import { CLASS_IN, TYPE_A, TYPE_AAAA } from '../dns/rr-type.ts'
import type { Endpoint, Net } from '../net/net.ts'
import type { ResolverBehaviour, ResolverReply, ResolverStep } from './resolver-behaviour.ts'
import { TRUTHFUL_STEP } from './resolver-behaviour.ts'
import { type DnsTransport, serveDns } from './serve-dns.ts'
import { createUpstreamClient, type UpstreamClient } from './upstream-client.ts'

/** TTL of made-up records, in seconds. */
const LIE_TTL = 60

/** A zone and who serves it. */
export interface ServedZone {
  readonly name: Name
  readonly authority: Endpoint
  /** Whether a run measures it; the others hold pages and decoys. */
  readonly measured: boolean
}

/** What a resolver was asked so far. */
export interface ResolverCounters {
  readonly queries: number
  /** Of these, below the laboratory's zones. */
  readonly zoneQueries: number
  /** Questions put to an authority. */
  readonly asked: number
}

/** A resolver that serves. */
export interface MisbehavingResolver {
  readonly endpoint: Endpoint
  counters(): ResolverCounters
  close(): Promise<void>
}

/** How to start a resolver. */
export interface MisbehavingResolverOptions {
  /** Where it listens and asks from; with port 0 the system chooses. */
  readonly listen: Endpoint
  readonly zones: readonly ServedZone[]
  readonly behaviour: ResolverBehaviour
  /** Called at each question below a measured zone, before it is treated. */
  readonly onZoneQuery?: (question: Question) => void
}

/** Starts serving over UDP and TCP. @throws {NetError} */
export async function startMisbehavingResolver(
  machine: { readonly net: Net; readonly clock: Clock; readonly random: Random },
  options: MisbehavingResolverOptions,
): Promise<MisbehavingResolver> {
  const { behaviour } = options
  const counters = { queries: 0, zoneQueries: 0, asked: 0 }
  const upstream = await createUpstreamClient(machine, options.listen.address, behaviour.asking)
  const ask = (zone: ServedZone, question: Question): ReturnType<UpstreamClient['ask']> => {
    counters.asked += 1
    return upstream.ask(zone.authority, zone.name, question.name, question.type)
  }
  const server = await serveDns(machine.net, options.listen, async (query, transport) => {
    const [question] = query.questions
    if (question === undefined) return undefined
    counters.queries += 1
    const zone = findZone(options.zones, question.name)
    if (zone === undefined) return makeReply(query, question, noiseReply(behaviour, question), transport, behaviour)
    counters.zoneQueries += 1
    if (zone.measured) options.onZoneQuery?.(question)
    const step = chooseStep(behaviour, zone, question)
    const truth = step.asks ? await ask(zone, question) : undefined
    if (step.delayMs > 0) await sleep(machine.clock, step.delayMs)
    return makeReply(query, question, step.reply, transport, behaviour, truth)
  })
  return {
    endpoint: server.endpoint,
    counters: () => ({ ...counters }),
    close: async () => {
      upstream.close()
      await server.close()
    },
  }
}

function findZone(zones: readonly ServedZone[], name: Name): ServedZone | undefined {
  return zones
    .filter((zone) => nameIsUnder(name, zone.name))
    .toSorted((a, b) => b.name.length - a.name.length)
    .at(0)
}

function noiseReply(behaviour: ResolverBehaviour, question: Question): ResolverReply {
  const known = behaviour.knownNames.get(formatName(question.name).toLowerCase())
  return known === undefined ? behaviour.noise : { kind: 'address', address: known }
}

function chooseStep(behaviour: ResolverBehaviour, zone: ServedZone, question: Question): ResolverStep {
  if (question.type !== TYPE_A && question.type !== TYPE_AAAA) return TRUTHFUL_STEP
  if (!zone.measured && behaviour.elsewhere !== undefined) {
    return { asks: behaviour.elsewhere.kind === 'truth', reply: behaviour.elsewhere, delayMs: 0 }
  }
  const steps = question.type === TYPE_A ? behaviour.a : behaviour.aaaa
  return steps[(attemptOf(question.name, zone.name) - 1) % steps.length] ?? steps[0]
}

/** The attempt in `{run_id}.{attempt}.{timestamp_ms}.{fingerprint}.{zone}`; 1 for other names. */
function attemptOf(name: Name, zone: Name): number {
  const label = name.length === zone.length + 4 ? new TextDecoder().decode(name[1]) : ''
  return /^[1-9]\d{0,5}$/.test(label) ? Number(label) : 1
}

function makeReply(
  query: DnsMessage,
  question: Question,
  reply: ResolverReply,
  transport: DnsTransport,
  behaviour: ResolverBehaviour,
  truth?: DnsMessage,
): DnsMessage | undefined {
  const name = behaviour.echo === 'lower' ? lowerCase(question.name) : question.name
  const respond = (rcode: number, answers: readonly ResourceRecord[] = [], truncated = false): DnsMessage => ({
    header: {
      ...query.header,
      response: true,
      authoritative: false,
      recursionAvailable: true,
      authenticData: false,
      truncated,
      rcode,
    },
    questions: [{ ...question, name }],
    answers,
    authorities: [],
    additionals: [],
    edns: query.edns && { ...query.edns, options: [] },
  })
  switch (reply.kind) {
    case 'silence':
      return undefined
    case 'truncated':
      return transport === 'udp' ? respond(0, [], true) : undefined
    case 'rcode':
      return respond(reply.rcode)
    case 'address': {
      const record = makeAddressRecord(name, reply.address)
      return respond(0, record.type === question.type ? [record] : [])
    }
    case 'truth': {
      if (truth === undefined || truth.header.truncated) return respond(RCODE_SERVFAIL)
      const { rcode } = truth.header
      const answers = truth.answers.map((record) => respell(record, question.name, name))
      return respond(rcode === 0 || rcode === RCODE_NXDOMAIN ? rcode : RCODE_SERVFAIL, answers)
    }
    default:
      return assertNever(reply)
  }
}

/** Gives the owner of an answer the spelling that the client used. */
function respell(record: ResourceRecord, asked: Name, spelled: Name): ResourceRecord {
  const isOwner = record.name.length === asked.length && nameIsUnder(record.name, asked)
  return isOwner ? { ...record, name: spelled } : record
}

function makeAddressRecord(name: Name, address: string): ResourceRecord {
  const isSix = address.includes(':')
  return {
    name,
    type: isSix ? TYPE_AAAA : TYPE_A,
    class: CLASS_IN,
    ttl: LIE_TTL,
    rdata: { kind: isSix ? 'aaaa' : 'a', address },
  }
}

function lowerCase(name: Name): Name {
  return name.map((label) => label.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet)))
}
