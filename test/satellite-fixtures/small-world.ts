/** A few resolvers and one web server on loopback, at addresses of the laboratory, for runs over open resolvers. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { parseName, formatName } from '../../src/dns/name.ts'
import type { DnsMessage } from '../../src/dns/message.ts'
import { CLASS_IN, TYPE_A, TYPE_PTR } from '../../src/dns/rr-type.ts'
import { createCertificateAuthority } from '../../src/lab/certificate-authority.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../../src/lab/lab-address-plan.ts'
import { createLaboratoryNet, type LaboratoryRoute } from '../../src/lab/laboratory-net.ts'
import { serveDns } from '../../src/lab/serve-dns.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import type { Net } from '../../src/net/net.ts'
import type { AddressPlan } from '../../src/core/address-plan.ts'

/** What a resolver says about a name: addresses, a code, or nothing. */
export type Saying = readonly string[] | number | undefined
/** What each resolver says about names that are tested; the truth without an entry. */
export type Lies = Readonly<Record<string, (name: string, attempt: number) => Saying>>

/** One query that a server saw. */
export interface SeenQuery {
  readonly resolver: string
  readonly name: string
  readonly id: number
  readonly atMs: number
}

/** A web server that says the same to everybody. */
export interface SmallSite {
  readonly body: string
  /** Whom its certificate is for. */
  readonly names: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** One request that a web server saw. */
export interface SeenRequest {
  readonly address: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly cookie: string | undefined
}

/** The world. */
export interface SmallWorld extends AsyncDisposable {
  readonly net: Net
  readonly addressPlan: AddressPlan
  readonly routes: readonly LaboratoryRoute[]
  readonly authority: string
  /** Earliest first. */
  readonly seen: SeenQuery[]
  /** Earliest first. */
  readonly requests: SeenRequest[]
}

/** The name that probes ask for, and its address. */
export const PROBE_NAME = 'probe.example.net'
/** Its address. */
export const PROBE_ANSWER = '198.51.100.7'
/** The control name. */
export const LIVENESS_NAME = 'alive.example.net'
/** Tells who asks. */
export const WHOAMI_NAME = 'whoami.example.net'

/** What is true: one address for each name that is tested. */
export function trueAddress(name: string): string {
  const sum = new TextEncoder().encode(name).reduce((total, octet) => total + octet, 0)
  return `198.19.1.${1 + (sum % 250)}`
}

/** Starts resolvers. @param names - PTR name of each address that has one; every address of it is a resolver. */
export async function startSmallWorld(
  resolvers: readonly string[],
  names: Readonly<Record<string, string>>,
  lies: Lies = {},
  sites: Readonly<Record<string, SmallSite>> = {},
): Promise<SmallWorld> {
  const seen: SeenQuery[] = []
  const attempts = new Map<string, number>()
  const servers = await Promise.all(
    resolvers.map(async (address) => {
      const server = await serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, (query) => {
        const [question] = query.questions
        if (question === undefined) return Promise.resolve(undefined)
        const name = formatName(question.name)
        seen.push({ resolver: address, name, id: query.header.id, atMs: performance.now() })
        const attempt = (attempts.get(`${address} ${name}`) ?? 0) + 1
        attempts.set(`${address} ${name}`, attempt)
        return Promise.resolve(answer(query, say(address, name, question.type, attempt)))
      })
      return { address, server }
    }),
  )
  const say = (address: string, name: string, type: number, attempt: number): Saying | string => {
    if (type === TYPE_PTR) return names[fromReverse(name)] ?? 3
    if (name === PROBE_NAME) return [PROBE_ANSWER]
    if (name === LIVENESS_NAME) return lies[address]?.(name, attempt) ?? ['198.51.100.8']
    if (name === WHOAMI_NAME) return [address]
    const lie = lies[address]
    return lie === undefined ? [trueAddress(name)] : lie(name, attempt)
  }
  const routes = servers.map(({ address, server }): LaboratoryRoute[] => [
    { protocol: 'udp', address, port: 53, to: server.endpoint },
    { protocol: 'tcp', address, port: 53, to: server.endpoint },
  ])
  const certificates = createCertificateAuthority('Small World', Date.now())
  const authority = certificates.certificate
  const requests: SeenRequest[] = []
  const webs = await Promise.all(
    Object.entries(sites).flatMap(([address, site]) => [
      serveSite(address, site, 'http', createServer, requests),
      serveSite(
        address,
        site,
        'https',
        (listener) => {
          const { certificate, key } = certificates.issue({ names: site.names })
          return createTlsServer({ cert: certificate, key }, listener)
        },
        requests,
      ),
    ]),
  )
  const all = [...routes.flat(), ...webs.map(({ route }) => route)]
  return {
    net: createLaboratoryNet(nodeNet, { routes: all, authority, owns: ownsLaboratoryAddress }),
    addressPlan: laboratoryAddressPlan,
    routes: all,
    authority,
    seen,
    requests,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map(({ server }) => server.close()))
      for (const { server } of webs) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

type StartServer = (listener: (request: IncomingMessage, response: ServerResponse) => void) => Server

async function serveSite(
  address: string,
  { body, headers = {} }: SmallSite,
  scheme: 'http' | 'https',
  start: StartServer,
  requests: SeenRequest[],
): Promise<{ readonly server: Server; readonly route: LaboratoryRoute }> {
  const server = start((request, response) => {
    requests.push({ address, scheme, host: request.headers.host ?? '', cookie: request.headers.cookie })
    response.writeHead(200, headers).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const to = { address: '127.0.0.1', port }
  return { server, route: { protocol: 'tcp', address, port: scheme === 'http' ? 80 : 443, to } }
}

function answer(query: DnsMessage, saying: Saying | string): DnsMessage | undefined {
  const [question] = query.questions
  if (saying === undefined || question === undefined) return undefined
  const rcode = typeof saying === 'number' ? saying : 0
  const record = { name: question.name, class: CLASS_IN, ttl: 60 }
  const answers =
    typeof saying === 'string'
      ? [{ ...record, type: TYPE_PTR, rdata: { kind: 'ptr' as const, name: parseName(saying) ?? [] } }]
      : typeof saying === 'number'
        ? []
        : saying.map((address) => ({ ...record, type: TYPE_A, rdata: { kind: 'a' as const, address } }))
  return {
    ...query,
    header: { ...query.header, response: true, recursionAvailable: true, rcode },
    answers,
    edns: undefined,
  }
}

function fromReverse(name: string): string {
  return name.replace('.in-addr.arpa', '').split('.').toReversed().join('.')
}
