/** A private Tor network of three exits, each with a resolver that gives its own address, and servers on those. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/core/log.ts'
import { decodeMessage } from '../../src/dns/decode-message.ts'
import { encodeMessage, encodeQuery } from '../../src/dns/encode-message.ts'
import { formatName, parseName } from '../../src/dns/name.ts'
import { TYPE_A } from '../../src/dns/rr-type.ts'
import { startTorNetwork, type TorNetwork } from '../../src/lab/tor-network.ts'
import type { Connection, Endpoint } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import type { Circuit, TorSession } from '../../src/tor/tor-session.ts'
import type { TorCapabilities } from '../../src/tor/tor-process.ts'

/** Whether Debian's `tor` is there; without it these tests are skipped and say so. */
export const hasTor: boolean =
  (await nodeProcesses.which('tor')) !== undefined && (await nodeProcesses.which('tor-gencert')) !== undefined

/** The real machine, without a log. */
export const machine: TorCapabilities = {
  net: nodeNet,
  files: nodeFiles,
  processes: nodeProcesses,
  clock: nodeClock,
  log: createLog(() => {}),
}

const EXITS = ['exit1', 'exit2', 'exit3'] as const

/** The network and what stands behind its exits. */
export interface TorWorld extends AsyncDisposable {
  readonly directory: string
  readonly network: TorNetwork
  /** Lines for a client of this network that may receive loopback addresses. */
  readonly clientLines: readonly string[]
  /** Port of the servers behind the exits. */
  readonly port: number
  /** The address that an exit's resolver gives for every name, by fingerprint. */
  readonly addressOf: (fingerprint: string) => string
}

/** Builds the network: relays on 127.i.BLOCK.1. Names under `silent.` are never answered. */
export async function startTorWorld(block: number): Promise<TorWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-tor-'))
  const addresses = EXITS.map((_, i) => `127.251.${block}.${i + 1}`)
  const resolvers = await Promise.all(addresses.map((address) => startResolver(address)))
  const servers = await startServers(addresses)
  const network = await startTorNetwork(machine, {
    directory: join(directory, 'network'),
    block,
    authorities: 3,
    middles: [
      { nickname: 'middle1', delayMs: 0 },
      { nickname: 'middle2', delayMs: 0 },
    ],
    exits: EXITS.map((nickname, i) => ({
      nickname,
      resolvConf: () => Promise.resolve(`nameserver ${resolvers[i]?.address ?? ''}:${resolvers[i]?.port ?? 0}\n`),
      ipv6: i === 1,
    })),
  })
  return {
    directory,
    network,
    clientLines: network.torrcAppend.filter((line) => !line.startsWith('ClientDNSRejectInternalAddresses')),
    port: servers.port,
    addressOf: (fingerprint) => {
      const index = EXITS.findIndex((nickname) => network.relay(nickname).fingerprint === fingerprint)
      return addresses[index] ?? 'none'
    },
    [Symbol.asyncDispose]: async () => {
      await network.stop()
      for (const resolver of resolvers) resolver.close()
      await servers.close()
      await rm(directory, { recursive: true })
    },
  }
}

async function startResolver(address: string): Promise<Endpoint & { close(): void }> {
  const socket = await nodeNet.bindUdp(
    { address, port: 0 },
    {
      onDatagram: (octets, from) => {
        const decoded = decodeMessage(octets)
        const question = decoded.kind === 'message' ? decoded.message.questions[0] : undefined
        if (decoded.kind !== 'message' || question === undefined) return
        if (formatName(question.name).toLowerCase().endsWith('silent')) return
        const isA = question.type === TYPE_A
        const answer = { ...question, ttl: 60, rdata: { kind: 'a', address } } as const
        const header = { ...decoded.message.header, response: true, recursionAvailable: true }
        void socket.send(encodeMessage({ ...decoded.message, header, answers: isA ? [answer] : [] }), from)
      },
      onError: () => {},
    },
  )
  return {
    ...socket.local,
    close: () => {
      socket.close()
    },
  }
}

/** On each address the same port: says the address, then echoes. */
async function startServers(addresses: readonly string[]): Promise<{ port: number; close(): Promise<void> }> {
  const serve = (address: string) => async (connection: Connection) => {
    try {
      await connection.write(new TextEncoder().encode(`${address}\n`))
      for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
        await connection.write(octets)
      }
    } catch {
      // The client is gone.
    }
    connection.close()
  }
  const [first = '', ...others] = addresses
  const listener = await nodeNet.listenTcp({ address: first, port: 0 }, (connection) => void serve(first)(connection))
  const { port } = listener.local
  const more = await Promise.all(
    others.map((address) => nodeNet.listenTcp({ address, port }, (connection) => void serve(address)(connection))),
  )
  return {
    port,
    close: async () => {
      for (const it of [listener, ...more]) await it.close()
    },
  }
}

/** Builds a circuit or fails the test. */
export async function requireCircuit(session: TorSession, path: readonly string[]): Promise<Circuit> {
  const outcome = await session.buildCircuit(path, 20_000)
  if (outcome.kind === 'failed') throw new Error(`no circuit: ${JSON.stringify(outcome)}`)
  return outcome.circuit
}

/** Asks the DNSPort for an A record. @returns RCODE and address; `undefined` without a reply within `timeoutMs`. */
export async function askA(
  dnsPort: Endpoint,
  name: string,
  timeoutMs: number,
): Promise<{ rcode: number; address: string | undefined } | undefined> {
  const labels = parseName(name)
  if (labels === undefined) throw new Error(`no name: ${name}`)
  const reply = Promise.withResolvers<Uint8Array | undefined>()
  const socket = await nodeNet.bindUdp(
    { address: '127.0.0.1', port: 0 },
    {
      onDatagram: (octets) => {
        reply.resolve(octets)
      },
      onError: () => {
        reply.resolve(undefined)
      },
    },
  )
  const timer = setTimeout(() => {
    reply.resolve(undefined)
  }, timeoutMs)
  await socket.send(encodeQuery({ id: 1, name: labels, type: TYPE_A, recursionDesired: true }), dnsPort)
  const octets = await reply.promise
  clearTimeout(timer)
  socket.close()
  const decoded = octets === undefined ? undefined : decodeMessage(octets)
  if (decoded?.kind !== 'message') return undefined
  const rdata = decoded.message.answers[0]?.rdata
  return { rcode: decoded.message.header.rcode, address: rdata?.kind === 'a' ? rdata.address : undefined }
}

/** Reads the line that the server behind an exit begins with. */
export async function readGreeting(connection: Connection): Promise<string> {
  let text = ''
  while (!text.includes('\n')) {
    const octets = await connection.read()
    if (octets === undefined) break
    text += new TextDecoder().decode(octets)
  }
  return text.trim()
}
