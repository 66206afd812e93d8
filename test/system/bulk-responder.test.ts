/** The responder that bulk runs are measured and tested against: it must misbehave exactly as computed. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawOddity, hashQuestion, type Oddity, type OddityShares, trueAddress } from '../../bench/draw-oddity.ts'
import { hasCompiler, startResponder } from '../../bench/responder.ts'
import { decodeMessage } from '../../src/dns/decode-message.ts'
import { formatRdata } from '../../src/dns/rdata.ts'
import { TYPE_A } from '../../src/dns/rr-type.ts'
import { exchangeDo53Tcp } from '../../src/net/do53-tcp.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { queryOctets } from '../transports/dns-octets.ts'

const NAMES = 2000
const ATTEMPTS = 3
const SEED = 2026
/** Queries between two pauses: fewer than the smallest receive buffer holds answers to. */
const BURST = 40
const SHARES: OddityShares = {
  'loss-in': 0.1,
  'loss-out': 0.1,
  reorder: 0.1,
  duplicate: 0.1,
  'wrong-id': 0.1,
  'wrong-source': 0.1,
  'wrong-question': 0.1,
  truncate: 0.1,
  malformed: 0.1,
  delay: 0.1,
  nxdomain: 0.1,
}

interface Datagram {
  readonly octets: Uint8Array
  readonly source: string
}

const nameOf = (index: number): string => `n${String(index).padStart(5, '0')}.responder.example`
const hashOf = (index: number): number => hashQuestion(nameOf(index), TYPE_A)
const draws = (oddity: Oddity, index: number, attempt: number): boolean =>
  drawOddity(SEED, SHARES, oddity, hashOf(index), attempt)

/** What must come back for one query, as sorted words. */
function expectWords(index: number, attempt: number): readonly string[] {
  if (draws('loss-in', index, attempt)) return []
  const injected = (['wrong-id', 'wrong-source', 'wrong-question'] as const).filter((it) => draws(it, index, attempt))
  if (draws('loss-out', index, attempt)) return injected.toSorted()
  const isTruncated = draws('truncate', index, 0)
  const isNxdomain = draws('nxdomain', index, 0)
  const intact = isTruncated ? 'truncated' : isNxdomain ? 'nxdomain' : trueAddress(hashOf(index))
  const truth = !isTruncated && draws('malformed', index, attempt) ? 'malformed' : intact
  return [...injected, truth, ...(draws('duplicate', index, attempt) ? [truth] : [])].toSorted()
}

/** The word for one datagram that came for the name with this index. */
function describeDatagram({ octets, source }: Datagram, index: number): string {
  if (source.startsWith('127.255.')) return 'wrong-source'
  if (source !== addressOf(index)) return `from ${source}`
  if (octets[0] !== ((index >> 8) & 0xff) || octets[1] !== (index & 0xff)) return 'wrong-id'
  if (octets[13] !== 'n'.charCodeAt(0)) return 'wrong-question'
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') return 'malformed'
  const { header, answers } = decoded.message
  if (header.truncated) return 'truncated'
  if (header.rcode === 3) return 'nxdomain'
  return answers.map(({ rdata }) => formatRdata(rdata)).join(' ')
}

/** Each name goes to an address of its own. */
const addressOf = (index: number): string => `127.${3 + (index >> 8)}.${index & 0xff}.9`

/** Asks every name once, and gives what came back for each. */
async function askAll(port: number): Promise<readonly (readonly string[])[]> {
  const arrived: Datagram[] = []
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (octets, { address }) => arrived.push({ octets: new Uint8Array(octets), source: address }))
  for (let index = 0; index < NAMES; index++) {
    socket.send(queryOctets(index, nameOf(index)), port, addressOf(index))
    if (index % BURST === BURST - 1) await sleep(2)
  }
  for (let last = -1; last !== arrived.length; await sleep(300)) last = arrived.length
  socket.close()
  const words: string[][] = Array.from({ length: NAMES }, () => [])
  for (const datagram of arrived) {
    const index = Number(new TextDecoder().decode(datagram.octets.subarray(14, 19)))
    words[index]?.push(describeDatagram(datagram, index))
  }
  return words.map((list) => list.toSorted())
}

describe.skipIf(!hasCompiler())('startResponder (needs gcc: apt-get install gcc)', () => {
  test('does to each query of a name what is computed for it, and counts it', async () => {
    await using responder = await startResponder({ shares: SHARES, seed: SEED, delayMs: 60 })
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const words = await askAll(responder.port)
      expect(words).toEqual(Array.from({ length: NAMES }, (_, index) => expectWords(index, attempt)))
    }
    const counters = await responder.stop()
    expect(counters).toMatchObject({
      queries: NAMES * ATTEMPTS,
      kernel_drops: 0,
      unreadable: 0,
      names: NAMES,
      names_by_queries: Array.from({ length: 16 }, (_, place) => (place === ATTEMPTS - 1 ? NAMES : 0)),
    })
    const lost = Array.from({ length: NAMES * ATTEMPTS }, (_, at) =>
      draws('loss-in', at % NAMES, Math.floor(at / NAMES)),
    ).filter(Boolean)
    expect(counters.lost_queries).toBe(lost.length)
  })

  test('answers truthfully over TCP what it truncates over UDP', async () => {
    await using responder = await startResponder({ shares: { truncate: 1 } })
    const exchange = await exchangeDo53Tcp(nodeNet, nodeClock, {
      endpoint: { address: '127.0.9.9', port: responder.port },
      query: queryOctets(7, nameOf(7)),
      timeoutMs: 5_000,
      lateWindowMs: 0,
    })
    expect(exchange.kind).toBe('responses')
    const octets = exchange.kind === 'responses' ? exchange.responses[0].octets : new Uint8Array()
    expect(describeDatagram({ octets, source: addressOf(7) }, 7)).toBe(trueAddress(hashOf(7)))
    expect(await responder.stop()).toMatchObject({ tcp_queries: 1, queries: 0 })
  })
})
