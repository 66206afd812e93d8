/** A resolver on loopback that says what a test tells it to. */
import { onTestFinished } from 'vitest'
import type { DnsMessage } from '../../src/dns/message.ts'
import { serveDns } from '../../src/lab/serve-dns.ts'
import { nodeNet } from '../../src/platform/node-net.ts'

/** Addresses that are answered, or the RCODE; what is cut off over UDP comes over TCP. */
export interface Told {
  readonly addresses: readonly string[]
  readonly rcode?: number
  readonly isCut?: boolean
}

/** Starts one. `tell` is asked at each query. @returns Its port, on 127.0.0.1, UDP and TCP. */
export async function startToldResolver(tell: () => Told): Promise<number> {
  const server = await serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, (query, transport) => {
    const told = tell()
    return Promise.resolve(reply(query, told, told.isCut === true && transport === 'udp'))
  })
  onTestFinished(() => server.close())
  return server.endpoint.port
}

function reply(query: DnsMessage, { addresses, rcode = 0 }: Told, truncated: boolean): DnsMessage {
  const [question] = query.questions
  if (question === undefined) throw new Error('a query without question')
  const answers = addresses.map((address) => ({
    name: question.name,
    type: 1,
    class: 1,
    ttl: 60,
    rdata: { kind: 'a' as const, address },
  }))
  const header = { ...query.header, response: true, recursionAvailable: true, authenticData: false, truncated, rcode }
  return { ...query, header, answers: truncated || question.type !== 1 ? [] : answers }
}
