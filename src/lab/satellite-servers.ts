/**
 * The resolvers of the satellite world: one UDP socket each, which answers as the plan says.
 *
 * Invariant: a datagram that is no question gets no answer; what waits to be sent is bounded.
 *
 * Sources: RFC 1035, RFC 7873 is not spoken.
 */
import { sleep } from '../core/clock.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage } from '../dns/encode-message.ts'
import type { DnsMessage, Question } from '../dns/message.ts'
import { formatName, parseName } from '../dns/name.ts'
import type { Rdata } from '../dns/rdata.ts'
import { CLASS_IN, TYPE_A, TYPE_PTR } from '../dns/rr-type.ts'
import { type Endpoint, NetError } from '../net/net.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'
import { toLoopbackAddress } from './loopback-address.ts'
import { createSatelliteAnswers, type PlannedResponse } from './satellite-answers.ts'
import type { SatellitePlan } from './satellite-plan.ts'
import type { WorldMachine } from './world.ts'

const DNS_PORT = 53
const PENDING_MAX = 20_000
const TTL_SECONDS = 60

/** Resolvers that stand. */
export interface SatelliteServers {
  readonly routes: readonly LaboratoryRoute[]
  /** Address → questions that arrived there. */
  questions(): ReadonlyMap<string, number>
  close(): void
}

/** Starts everybody who is asked. @throws {NetError} */
export async function startSatelliteServers(
  { net, clock }: Pick<WorldMachine, 'net' | 'clock'>,
  plan: SatellitePlan,
): Promise<SatelliteServers> {
  const answers = createSatelliteAnswers(plan)
  const routes: LaboratoryRoute[] = []
  const counts = new Map<string, number>()
  await using undo = new AsyncDisposableStack()
  let pending = 0
  const serve = async (address: string): Promise<void> => {
    const reply = async (octets: Uint8Array, from: Endpoint): Promise<void> => {
      const decoded = decodeMessage(octets)
      const [question] =
        decoded.kind === 'malformed' || decoded.message.header.response ? [] : decoded.message.questions
      if (decoded.kind === 'malformed' || question === undefined) return
      counts.set(address, (counts.get(address) ?? 0) + 1)
      const name = formatName(question.name).toLowerCase().replace(/\.$/, '')
      let elapsedMs = 0
      for (const planned of answers(address, name, question.type)) {
        if (planned.afterMs > elapsedMs) await sleep(clock, planned.afterMs - elapsedMs)
        elapsedMs = Math.max(elapsedMs, planned.afterMs)
        await socket.send(encodeMessage(respond(decoded.message, question, planned), { compress: true }), from)
      }
    }
    const socket = await net.bindUdp(
      { address: toLoopbackAddress(address), port: 0 },
      {
        onDatagram: (octets, from) => {
          if (pending >= PENDING_MAX) return
          pending += 1
          void ignoreNetwork(reply(octets, from)).finally(() => {
            pending -= 1
          })
        },
        onError: () => {},
      },
    )
    undo.defer(() => {
      socket.close()
    })
    routes.push({ protocol: 'udp', address, port: DNS_PORT, to: socket.local })
  }
  const { resolvers, candidates, controls } = plan
  for (const { address } of [...resolvers, ...candidates, ...controls]) await serve(address)
  for (const address of plan.nonResolvers) await serve(address)
  const kept = undo.move()
  return { routes, questions: () => counts, close: () => void kept.disposeAsync() }
}

/** The one who asked is gone, or the laboratory is. */
async function ignoreNetwork(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof NetError)) throw error
  }
}

function respond(query: DnsMessage, question: Question, planned: PlannedResponse): DnsMessage {
  const { addresses, pointer = null, rcode, isRecursive = true } = planned
  const records: readonly (readonly [number, Rdata])[] = [
    ...addresses.map((address): readonly [number, Rdata] => [TYPE_A, { kind: 'a', address }]),
    ...(pointer === null ? [] : [[TYPE_PTR, { kind: 'ptr', name: parseName(pointer) ?? [] }] as const]),
  ]
  return {
    header: {
      ...query.header,
      response: true,
      authoritative: false,
      truncated: false,
      recursionAvailable: isRecursive,
      authenticData: false,
      rcode,
    },
    questions: [question],
    answers: records.map(([type, rdata]) => ({ name: question.name, type, class: CLASS_IN, ttl: TTL_SECONDS, rdata })),
    authorities: [],
    additionals: [],
    edns: query.edns && { ...query.edns, options: [] },
  }
}
