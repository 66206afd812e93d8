/** A small UDP and TCP server for bulk runs: answers A queries, and does what its options say. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'

const TRIES_MAX = 10

/** What the server does besides answering. */
export interface BulkResponderOptions {
  /** @returns The datagrams that answer a query; `undefined` for the plain answer. */
  readonly respond?: (query: Uint8Array, plain: Uint8Array) => readonly Uint8Array[] | undefined
}

/** A query as a server of many addresses saw it. */
export interface SeenQuery {
  /** The address that was asked. */
  readonly address: string
  /** When it came, in milliseconds of a clock that never goes backwards. */
  readonly atMs: number
}

/** A server of many addresses that runs. */
export interface BulkResponders extends AsyncDisposable {
  readonly port: number
  /** Earliest first. */
  readonly seen: readonly SeenQuery[]
}

/** A server that runs. */
export interface BulkResponder extends AsyncDisposable {
  readonly port: number
  /** Queries that came over UDP. */
  readonly queries: () => number
}

/** The answer to a query: one A record, owner compressed. */
export function plainAnswer(query: Uint8Array): Uint8Array {
  let end = 12
  while ((query[end] ?? 0) !== 0) end += (query[end] ?? 0) + 1
  end += 5
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 7]
  const answer = Uint8Array.from([...query.subarray(0, end), ...record])
  answer.set([0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2)
  return answer
}

/** A port that is free for TCP may be taken for UDP: then another one is tried. */
async function listenOnBoth(udp: Socket, tcp: Server): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    try {
      udp.bind(port, '127.0.0.1')
      await once(udp, 'listening')
      return port
    } catch {
      tcp.close()
      await once(tcp, 'close')
    }
  }
  throw new Error('no port is free for both UDP and TCP')
}

/** Starts the server on a port of 127.0.0.1 that is free for both. */
export async function startBulkResponder({ respond }: BulkResponderOptions = {}): Promise<BulkResponder> {
  let queries = 0
  const udp: Socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 })
  udp.on('message', (query, from) => {
    queries++
    const plain = plainAnswer(query)
    for (const octets of respond?.(query, plain) ?? [plain]) udp.send(octets, from.port, from.address)
  })
  const tcp = createServer((socket) => {
    let pending = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (octets) => {
      pending = Buffer.concat([pending, octets])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const size = pending.readUInt16BE(0)
        const answer = plainAnswer(pending.subarray(2, 2 + size))
        socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]))
        pending = pending.subarray(2 + size)
      }
    })
  })
  const port = await listenOnBoth(udp, tcp)
  return {
    port,
    queries: () => queries,
    [Symbol.asyncDispose]: async () => {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/**
 * Starts one server on each of some addresses, all on the same port, over UDP.
 *
 * @param isDead - Whether the server of an address is silent.
 */
export async function startBulkResponders(
  addresses: readonly string[],
  isDead: (address: string) => boolean = () => false,
): Promise<BulkResponders> {
  const seen: SeenQuery[] = []
  const sockets: Socket[] = []
  let port = 0
  for (const address of addresses) {
    const socket = createSocket('udp4')
    socket.on('message', (query, from) => {
      seen.push({ address, atMs: performance.now() })
      if (!isDead(address)) socket.send(plainAnswer(query), from.port, from.address)
    })
    socket.bind(port, address)
    await once(socket, 'listening')
    port = socket.address().port
    sockets.push(socket)
  }
  return {
    port,
    seen,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(sockets.map((socket) => once(socket.close(), 'close')))
    },
  }
}
