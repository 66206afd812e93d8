/**
 * Feeds mutated packets of real servers to the decoder: `node fuzz/decode-message.ts [COUNT] [SEED]`.
 *
 * What decodes must encode, with and without compression, and decode to the same message again; nothing may throw, and
 * none may take long. The first input that breaks a rule is printed as hexadecimal digits with the seed and the round, and
 * the status is 1. The same count and seed give the same inputs. What the heap holds after a collection must not grow from
 * one tenth of the run to its end.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createSeededRandom, type Random, randomInt } from '../src/core/random.ts'
import { decodeMessage } from '../src/dns/decode-message.ts'
import { encodeMessage } from '../src/dns/encode-message.ts'
import { formatName } from '../src/dns/name.ts'
import { formatRdata } from '../src/dns/rdata.ts'

const COUNT_DEFAULT = 200_000

/** Larger ones (zone transfers) would take most of the time and show nothing that small ones do not. */
const SAMPLE_OCTETS_MAX = 1500

/** A message of at most 64 KiB decodes in microseconds. A machine that stops may take this long, but not twice in a row. */
const INPUT_MS_MAX = 1000

/** Compiled code and the feedback of the engine grow a little; what leaks per message is more after a million. */
const GROWTH_OCTETS_MAX = 8 * 2 ** 20

const MEBIBYTE = 2 ** 20

/** Lengths, counts and pointers where decoders stumble. */
const INTERESTING = [0x00, 0x01, 0x0c, 0x0b, 0x29, 0x2e, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xfe, 0xff]

/** Changes one place of a packet. */
type Mutation = (octets: Uint8Array, random: Random, samples: readonly Uint8Array[]) => Uint8Array

const MUTATIONS: readonly Mutation[] = [
  function flipBit(octets, random) {
    const at = randomInt(random, octets.length)
    return octets.with(at, (octets[at] as number) ^ (1 << randomInt(random, 8)))
  },
  function setOctet(octets, random) {
    return octets.with(randomInt(random, octets.length), INTERESTING[randomInt(random, INTERESTING.length)] as number)
  },
  function setRandomOctet(octets, random) {
    return octets.with(randomInt(random, octets.length), randomInt(random, 256))
  },
  function setPointer(octets, random) {
    const at = randomInt(random, octets.length)
    const result = octets.with(at, 0xc0)
    // Mostly a little before or behind itself.
    if (at + 1 < result.length) result[at + 1] = (at + randomInt(random, 33) - 24) & 0xff
    return result
  },
  function cut(octets, random) {
    return octets.slice(0, 1 + randomInt(random, octets.length))
  },
  function remove(octets, random) {
    const start = randomInt(random, octets.length)
    return concat(octets.subarray(0, start), octets.subarray(start + 1 + randomInt(random, 16)))
  },
  function repeat(octets, random) {
    const start = randomInt(random, octets.length)
    const end = start + 1 + randomInt(random, 32)
    return concat(octets.subarray(0, end), octets.subarray(start))
  },
  function splice(octets, random, samples) {
    const other = samples[randomInt(random, samples.length)] as Uint8Array
    return concat(octets.subarray(0, randomInt(random, octets.length)), other.subarray(randomInt(random, other.length)))
  },
]

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length + b.length)
  result.set(a)
  result.set(b, a.length)
  // Some place must be left to change.
  return result.length === 0 ? Uint8Array.of(0) : result
}

function readSamples(): readonly Uint8Array[] {
  const folder = new URL('../test/vectors/dns-packets/', import.meta.url)
  const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'))
  const lines = files.flatMap((file) => readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n').slice(1))
  const packets = lines.map((line) => (JSON.parse(line) as { response: string }).response)
  return packets.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))).filter((it) => it.length <= SAMPLE_OCTETS_MAX)
}

/** @returns Whether the octets were a message. @throws When a rule is broken. */
function check(octets: Uint8Array): boolean {
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') {
    if (decoded.offset > octets.length) throw new Error(`failure at ${decoded.offset}, behind the end`)
    return false
  }
  const { message } = decoded
  for (const compress of [false, true]) {
    if (isDeepStrictEqual(decodeMessage(encodeMessage(message, { compress })), decoded)) continue
    throw new Error(`another message after encoding with compress ${compress}`)
  }
  for (const { name, rdata } of [...message.answers, ...message.authorities, ...message.additionals]) {
    formatName(name)
    formatRdata(rdata)
  }
  return true
}

function timeCheck(octets: Uint8Array): number {
  const startedAtMs = performance.now()
  check(octets)
  return performance.now() - startedAtMs
}

/** Octets that are alive after everything else was collected. */
function measureHeap(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function mutate(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  let octets = samples[randomInt(random, samples.length)] as Uint8Array
  // Most are changed in one place only: those get past the frame and into the records.
  for (let left = Math.max(0, randomInt(random, 8) - 4); left >= 0; left--) {
    octets = (MUTATIONS[randomInt(random, MUTATIONS.length)] as Mutation)(octets, random, samples)
  }
  return octets
}

const [countText = String(COUNT_DEFAULT), seed = 'candor'] = process.argv.slice(2)
const count = Number(countText)
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const samples = readSamples()
const random = createSeededRandom(seed)
const startedAtMs = performance.now()
const warmRounds = Math.floor(count / 10)
let warmOctets = 0
let slowestMs = 0
let messages = 0
let rounds = 0
for (; rounds < count; rounds++) {
  if (rounds === warmRounds) warmOctets = measureHeap()
  const octets = mutate(random, samples)
  try {
    const checkedAtMs = performance.now()
    if (check(octets)) messages++
    let elapsedMs = performance.now() - checkedAtMs
    if (elapsedMs > INPUT_MS_MAX) elapsedMs = timeCheck(octets)
    if (elapsedMs > INPUT_MS_MAX) throw new Error(`took ${Math.round(elapsedMs)} ms, twice`)
    slowestMs = Math.max(slowestMs, elapsedMs)
  } catch (error) {
    const input = Buffer.from(octets).toString('hex')
    process.stderr.write(`seed ${seed}, round ${rounds}: ${String(error)}\n${input}\n`)
    process.exitCode = 1
    break
  }
}
const seconds = (performance.now() - startedAtMs) / 1000
const grownOctets = measureHeap() - warmOctets
const residentOctets = process.resourceUsage().maxRSS * 1024
process.stdout.write(
  `${rounds} inputs from ${samples.length} packets, seed ${seed}: ${messages} messages, ${rounds - messages} malformed, ` +
    `${Math.round(rounds / seconds)}/s, slowest ${slowestMs.toFixed(1)} ms, heap ${(warmOctets / MEBIBYTE).toFixed(1)} MiB ` +
    `${formatGrowth(grownOctets)}, at most ${(residentOctets / MEBIBYTE).toFixed(0)} MiB resident\n`,
)
if (grownOctets > GROWTH_OCTETS_MAX) {
  process.stderr.write(`memory grew by ${(grownOctets / MEBIBYTE).toFixed(1)} MiB\n`)
  process.exitCode = 1
}

function formatGrowth(octets: number): string {
  return `${octets < 0 ? '-' : '+'}${(Math.abs(octets) / MEBIBYTE).toFixed(1)} MiB`
}
