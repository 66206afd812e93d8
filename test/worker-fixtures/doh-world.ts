/** Public resolvers on one loopback port: DNS over HTTPS in both forms, and the service that says whose addresses are. */
import { decode, encode, type Answer, type Packet } from 'dns-packet'
import { serveHttp, type HttpServer, type ServedRequest, type ServedResponse } from '../../src/lab/http-server.ts'

/** What a resolver says: values, or an RCODE. */
export type Said = readonly string[] | 'NXDOMAIN' | 'SERVFAIL'

/** Answers for a name and type as one resolver, by its host, has them. `undefined`: the resolver gives no answer at all. */
export type World = (host: string, name: string, type: string) => Said | undefined

/** The running resolvers. */
export interface DohWorld extends AsyncDisposable {
  readonly url: string
  /** What is answered from now on. */
  world: World
  /** `host name type` of each question, in order. */
  readonly questions: string[]
  readonly requests: ServedRequest[]
}

const RCODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const
/** Of /24 networks: 192.0.2.0 and 198.51.100.0 are AS64500, all else AS64501. Given as the real service gives it. */
const OWNERS: Readonly<Record<string, number>> = { '0.2.0.192': 64_500, '0.100.51.198': 64_500, '0.1.0.8': 64_500 }

/** Starts the resolvers. The host that was meant stands in `x-host`. */
export async function startDohWorld(world: World): Promise<DohWorld> {
  const questions: string[] = []
  const requests: ServedRequest[] = []
  const answer = (request: ServedRequest): ServedResponse => {
    requests.push(request)
    const { searchParams } = new URL(request.url, 'http://loopback')
    const host = request.headers['x-host'] ?? ''
    const octets = searchParams.get('dns')
    const query = octets === null ? undefined : decode(Buffer.from(octets, 'base64url'))
    const [asked] = query?.questions ?? []
    const name = (asked?.name ?? searchParams.get('name') ?? '').replace(/\.$/, '')
    const type = asked?.type ?? TYPES[searchParams.get('type') ?? ''] ?? 'A'
    questions.push(`${host} ${name} ${type}`)
    const said = name.endsWith('.asn.cymru.com') ? ownerOf(name) : server.world(host, name, type)
    if (said === undefined) return { status: 500, body: 'the resolver is out of order' }
    return query === undefined ? answerJson(name, type, said) : answerWire(query, name, type, said)
  }
  const http: HttpServer = await serveHttp(answer)
  const server: DohWorld = { url: http.url, world, questions, requests, [Symbol.asyncDispose]: () => http.close() }
  return server
}

function ownerOf(name: string): Said {
  const octets = name.replace(/\.origin6?\.asn\.cymru\.com$/, '')
  const asn = OWNERS[octets] ?? 64_501
  return [`${asn} | 192.0.2.0/24 | ZZ | test | 2020-01-01`]
}

const TYPES: Readonly<Record<string, string>> = { 1: 'A', 2: 'NS', 5: 'CNAME', 12: 'PTR', 16: 'TXT', 28: 'AAAA' }

function answerWire(query: Packet, name: string, type: string, said: Said): ServedResponse {
  const values = typeof said === 'string' ? [] : said
  const answers = values.map((data) => ({ name, type, ttl: 60, data, class: 'IN' }) as Answer)
  const flags = 0x81_80 | (typeof said === 'string' ? RCODES[said] : 0)
  const octets = encode({ id: query.id ?? 0, type: 'response', flags, questions: query.questions ?? [], answers })
  return { status: 200, body: octets as unknown as string, headers: { 'content-type': 'application/dns-message' } }
}

function answerJson(name: string, type: string, said: Said): ServedResponse {
  const number = Number(Object.entries(TYPES).find(([, text]) => text === type)?.[0])
  const values = typeof said === 'string' ? [] : said
  const body = JSON.stringify({
    Status: typeof said === 'string' ? RCODES[said] : 0,
    TC: false,
    Question: [{ name: `${name}.`, type: number }],
    Answer: values.map((data) => ({ name: `${name}.`, type: number, TTL: 60, data })),
  })
  return { status: 200, body, headers: { 'content-type': 'application/dns-json' } }
}
