/**
 * Asks real servers on loopback and writes what they answer, with what `dig` reads in it, to `SERVER.jsonl`.
 *
 * Needs knot, bind9, bind9-utils, bind9-dnsutils, nsd, unbound, dnsdist and smartdns; run it with
 * `node test/vectors/dns-packets/capture.ts`. The servers end with it.
 */
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { decodeMessage } from '../../../src/dns/decode-message.ts'
import { encodeQuery } from '../../../src/dns/encode-message.ts'
import { formatName, type Name, parseName } from '../../../src/dns/name.ts'
import { type Ask, authoritativeAsks, recursiveAsks, tlsAsks } from './questions.ts'
import { readLogs, type Server, startServers, ZONES } from './servers.ts'

const ANSWER_WAIT_MS = 1000

const DIG_WAIT_MS = 10_000

/** Waits for one datagram. @returns `undefined` when none comes. */
function askOverUdp(server: Server, request: Uint8Array): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    const finish = (octets?: Uint8Array): void => {
      clearTimeout(timer)
      socket.close()
      resolve(octets)
    }
    const timer = setTimeout(finish, ANSWER_WAIT_MS)
    socket.on('message', (octets) => {
      finish(Uint8Array.from(octets))
    })
    socket.on('error', () => {
      finish()
    })
    socket.send(request, server.port, server.address)
  })
}

/** Waits for the first message on a new connection. @returns `undefined` when none comes. */
function askOverStream(server: Server, request: Uint8Array, tls: boolean): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const host = server.address
    const socket: Socket = tls
      ? connectTls({ host, port: server.tlsPort ?? 0, rejectUnauthorized: false })
      : connect({ host, port: server.port })
    let received = Buffer.alloc(0)
    const finish = (octets?: Uint8Array): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(octets)
    }
    const timer = setTimeout(finish, ANSWER_WAIT_MS)
    socket.on(tls ? 'secureConnect' : 'connect', () => {
      socket.write(Uint8Array.of(request.length >> 8, request.length & 0xff, ...request))
    })
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const length = received.length < 2 ? Infinity : received.readUInt16BE(0)
      if (received.length >= 2 + length) finish(Uint8Array.from(received.subarray(2, 2 + length)))
    })
    socket.on('error', () => {
      finish()
    })
    socket.on('close', () => {
      finish()
    })
  })
}

function ask(server: Server, item: Ask): Promise<Uint8Array | undefined> {
  return item.transport === 'udp'
    ? askOverUdp(server, item.request)
    : askOverStream(server, item.request, item.transport === 'tls')
}

/** Waits until a server answers for a zone. @throws When it does not. */
async function waitFor(server: Server, zone: string, folder: string): Promise<void> {
  const request = encodeQuery({ id: 1, name: parseName(zone) as Name, type: 6, recursionDesired: true })
  for (let i = 0; i < 100; i++) {
    const decoded = decodeMessage((await askOverUdp({ ...server }, request)) ?? new Uint8Array(0))
    if (decoded.kind === 'message' && decoded.message.answers.length > 0) return
    if (zone === 'bogus.example' && decoded.kind === 'message' && decoded.message.header.rcode === 2) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${server.name} does not answer for ${zone}\n${readLogs(folder)}`)
}

/** Serves one message at a time over TCP, under the id of whoever asks. */
async function createReplay(): Promise<{ port: number; show(octets: Uint8Array): void; close(): void }> {
  let shown: Uint8Array = new Uint8Array(0)
  const server = createServer((socket) => {
    socket.on('data', (request: Buffer) => {
      const octets = Buffer.from(shown)
      request.copy(octets, 0, 2, 4)
      socket.write(Uint8Array.of(octets.length >> 8, octets.length & 0xff, ...octets))
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.77.0.9', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    show: (octets) => {
      shown = octets
    },
    close: () => server.close(),
  }
}

type Replay = Awaited<ReturnType<typeof createReplay>>

/** @returns The records of a response as `dig` prints them, words apart by one space; `undefined` if it cannot be asked. */
async function readWithDig(replay: Replay, octets: Uint8Array): Promise<readonly string[] | undefined> {
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') return undefined
  const { header, questions } = decoded.message
  const [question] = questions
  // Zone transfers are printed in another way; opcodes other than QUERY cannot be asked for.
  if (questions.length !== 1 || question === undefined || header.opcode !== 0 || !header.response) return undefined
  if (question.type === 251 || question.type === 252) return undefined
  replay.show(octets)
  const options =
    '+tcp +ignore +tries=1 +noedns +nobadcookie +noednsnegotiation +time=2 +norecurse +nosplit +noidnout +noall +answer +authority +additional'
  const args = `-p ${replay.port} @127.77.0.9 -c CLASS${question.class} -t TYPE${question.type} -q`.split(' ')
  args.push(formatName(question.name), ...options.split(' '))
  const { stdout } = await promisify(execFile)('dig', args, { timeout: DIG_WAIT_MS })
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
  return lines.map((line) => line.replace(/^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+/, '$1 $2 $3 $4 '))
}

function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}

const folder = mkdtempSync(join(tmpdir(), 'dns-packets-'))
const servers = startServers(folder)
const replay = await createReplay()
try {
  for (const server of servers) {
    const isRecursive = ['unbound', 'dnsdist', 'smartdns'].includes(server.name)
    for (const zone of ZONES) await waitFor(server, zone, folder)
    const asks = [
      ...(isRecursive ? recursiveAsks() : authoritativeAsks()),
      ...(server.tlsPort === undefined ? [] : tlsAsks()),
    ]
    const lines: string[] = []
    let silent = 0
    for (const item of asks) {
      const response = await ask(server, item)
      if (response === undefined) {
        silent++
        continue
      }
      const dig = await readWithDig(replay, response)
      const { what, transport } = item
      lines.push(JSON.stringify({ what, transport, request: toHex(item.request), response: toHex(response), dig }))
    }
    const head = JSON.stringify({ server: server.name, version: server.version })
    writeFileSync(new URL(`${server.name}.jsonl`, import.meta.url), `${[head, ...lines].join('\n')}\n`)
    process.stderr.write(`${server.name} ${server.version}: ${lines.length} packets, ${silent} without answer\n`)
  }
} finally {
  replay.close()
  for (const server of servers) server.process.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
