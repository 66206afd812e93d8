/** A resolver on loopback that knows every name below a zone, and a client that asks one question. */
import type { DnsMessage } from '../../src/dns/message.ts'
import { decodeMessage } from '../../src/dns/decode-message.ts'
import { encodeQuery } from '../../src/dns/encode-message.ts'
import { formatName, parseName } from '../../src/dns/name.ts'
import { RCODE_NXDOMAIN } from '../../src/dns/rcode.ts'
import { TYPE_A } from '../../src/dns/rr-type.ts'
import { serveDns, type DnsServer } from '../../src/lab/serve-dns.ts'
import { exchangeDo53Udp } from '../../src/net/do53-udp.ts'
import type { Endpoint } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import type { SmartDnsPlan } from '../../src/sidecars/smartdns-plan.ts'

/** Serves `198.51.100.N` for `hN.` below any zone, with a TTL of `ttl` seconds; what begins with `nx` does not exist. */
export function serveUpstream(ttl: number): Promise<DnsServer> {
  return serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, (query) => Promise.resolve(answer(query, ttl)))
}

function answer(query: DnsMessage, ttl: number): DnsMessage | undefined {
  const [question] = query.questions
  if (question === undefined) return undefined
  const name = formatName(question.name)
  const number = Number(/^h(\d{1,3})\./.exec(name)?.[1] ?? 0) % 256
  const isThere = !name.startsWith('nx')
  return {
    ...query,
    header: { ...query.header, response: true, recursionAvailable: true, rcode: isThere ? 0 : RCODE_NXDOMAIN },
    answers:
      isThere && question.type === TYPE_A
        ? [
            {
              name: question.name,
              type: TYPE_A,
              class: 1,
              ttl,
              rdata: { kind: 'a', address: `198.51.100.${number}` },
            },
          ]
        : [],
    authorities: [],
    additionals: [],
  }
}

/** @returns The addresses that a resolver answers for a name; `undefined` when it does not answer. */
export async function askAddresses(endpoint: Endpoint, name: string): Promise<readonly string[] | undefined> {
  const parsed = parseName(name)
  if (parsed === undefined) throw new Error(`${name} is no name`)
  const query = encodeQuery({ id: 4_242, name: parsed, type: TYPE_A, recursionDesired: true })
  const exchange = await exchangeDo53Udp(nodeNet, nodeClock, { endpoint, query, timeoutMs: 1_000, lateWindowMs: 0 })
  if (exchange.kind === 'failure') return undefined
  const decoded = decodeMessage(exchange.responses[0].octets)
  if (decoded.kind === 'malformed') return undefined
  return decoded.message.answers.flatMap(({ rdata }) => (rdata.kind === 'a' ? [rdata.address] : []))
}

/** A plan with one upstream, both on 127.0.0.1, without sets. */
export function smartDnsPlan(port: number, upstreamPort: number): SmartDnsPlan {
  return {
    listen: { address: '127.0.0.1', port },
    upstreams: [{ transport: 'udp', endpoint: { address: '127.0.0.1', port: upstreamPort }, host: null, path: null }],
    wildcards: ['zone.example'],
    sets: null,
    cacheSize: 256,
    auditOctets: 1_024,
    auditFiles: 1_000,
  }
}
