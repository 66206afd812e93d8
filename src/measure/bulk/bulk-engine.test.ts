import { describe, expect, test } from 'vitest'
import { createSeededRandom, randomInt } from '../../core/random.ts'
import type { BulkBackend } from '../../net/bulk-backend.ts'
import { BULK_COUNTERS, readCounters } from './bulk-counters.ts'
import { BulkEngine, type BulkEngineOptions } from './bulk-engine.ts'
import { JsonRecords } from './json-records.ts'
import { NameReader } from './name-reader.ts'

/** Answers a query with no records. */
function answerOf(query: Uint8Array): Uint8Array {
  const answer = query.slice()
  answer[2] = (answer[2] ?? 0) | 0x80
  return answer
}

/** A network on a clock of its own: `respond` makes datagrams of a query, which arrive 1 ms later. */
type Respond = (query: Uint8Array, resolver: number) => readonly (readonly [Uint8Array, number])[]

/** A run of `names` over a simulated network. */
function run(
  names: number,
  respond: Respond,
  changes: Partial<BulkEngineOptions> = {},
  resolvers = 3,
  takenAtOnce = Infinity,
) {
  const text = new TextEncoder().encode(Array.from({ length: names }, (_, i) => `n${i}.example\n`).join(''))
  const counters = new Float64Array(BULK_COUNTERS.length)
  const list = Array.from({ length: resolvers }, (_, i) => ({ address: `192.0.2.${i + 1}`, port: 53, isPaced: false }))
  let from = 0
  let output = ''
  let nowMs = 0
  const isPaced = changes.isPaced ?? new Uint8Array(resolvers)
  const tcp: (readonly [number, Uint8Array])[] = []
  const reader = new NameReader(
    {
      read: (octets, at) => {
        if (from === text.length) return -1
        const piece = text.subarray(from, from + octets.length - at)
        octets.set(piece, at)
        from += piece.length
        return piece.length
      },
    },
    {
      types: [1],
      bufferOctets: 1232,
      wantsRecursion: true,
      wantsDnssec: false,
      findResolver: () => -1,
      onMalformed: () => {},
      resumeAt: 0,
      unfinished: new Float64Array(0),
    },
  )
  const engine = new BulkEngine(
    {
      reader,
      writer: new JsonRecords(list, 1_700_000_000_000),
      random: createSeededRandom('seed'),
      isPaced,
      pace: { rate: 0, perResolver: 0 },
      timeoutMs: 500,
      retries: 3,
      lateWindowMs: 2000,
      isSegmented: false,
      counters,
      writeOut: (octets, size) => {
        output += new TextDecoder().decode(octets.subarray(0, size))
        return size
      },
      askTcp: (slot, _resolver, query) => tcp.push([slot, query]),
      isStopping: () => false,
      nowMs,
      ...changes,
    },
    0,
  )
  let flying: (readonly [Uint8Array, number])[] = []
  const backend: BulkBackend = {
    nowMs: () => nowMs,
    send: (count) => {
      const { wire, entries } = engine.batch
      const taken = Math.min(count, takenAtOnce)
      for (let i = 0; i < taken; i++) {
        const [at = 0, size = 0, resolver = 0] = entries.subarray(i * 3, i * 3 + 3)
        flying.push(...respond(wire.slice(at, at + size), resolver))
      }
      return taken
    },
    run: () => Promise.resolve(),
    close: () => {},
  }
  engine.attach(backend)
  for (let rounds = 0; engine.step(nowMs) >= 0; rounds++) {
    if (rounds > 1_000_000) throw new Error('the engine does not end')
    nowMs += 1
    const arriving = flying
    flying = []
    for (const [octets, resolver] of arriving) engine.accept(octets, 0, octets.length, resolver, nowMs)
    for (const [slot, query] of tcp.splice(0)) engine.takeTcp(slot, answerOf(query), nowMs)
  }
  const records = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; status: string; resolver: string; proto: string; tries: number })
  return { records, counters: readCounters(counters), checkpoint: engine.checkpoint(), output, nowMs }
}

function change(octets: Uint8Array, at: number): Uint8Array {
  const changed = octets.slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

describe('BulkEngine', () => {
  test('gives each name one record', () => {
    const { records, counters, checkpoint, output } = run(70_000, (query, resolver) => [[answerOf(query), resolver]])
    expect(new Set(records.map(({ name }) => name)).size).toBe(70_000)
    expect(records).toHaveLength(70_000)
    expect(counters).toMatchObject({ finished: 70_000, answered: 70_000, retransmissions: 0, late: 0, duplicate: 0 })
    expect(checkpoint).toEqual({ outputOctets: output.length, nextIndex: 70_000, unfinished: new Float64Array(0) })
  })
  test('asks the same resolvers the same names for the same seed', () => {
    const once = run(500, (query, resolver) => [[answerOf(query), resolver]])
    const again = run(500, (query, resolver) => [[answerOf(query), resolver]])
    expect(once.output).toBe(again.output)
  })
  test('asks again, of another resolver, what was lost, and ends with a record when nobody answers', () => {
    const { records, counters, nowMs } = run(50, (query, resolver) =>
      resolver === 0 ? [] : [[answerOf(query), resolver]],
    )
    expect(records.filter(({ status }) => status === 'NOERROR')).toHaveLength(50)
    expect(counters.retransmissions).toBe(records.filter(({ tries }) => tries > 1).length)
    expect(counters.retransmissions).toBeGreaterThan(0)
    const dead = run(50, () => [])
    expect(dead.records.every(({ status, tries }) => status === 'TIMEOUT' && tries === 4)).toBe(true)
    // 500 + 1000 + 2000 + 4000 ms, and the ticks between.
    expect(dead.nowMs).toBeLessThan(7_700)
    expect(nowMs).toBeLessThan(1_000)
  })
  test('counts each oddity under its name and takes none for an answer', () => {
    const oddities: readonly [keyof ReturnType<typeof readCounters>, Respond][] = [
      ['wrong_source', (query) => [[answerOf(query), -1]]],
      ['wrong_source', (query) => [[query.slice(0, 11), -1]]],
      ['wrong_source', (query) => [[query, -1]]],
      ['wrong_id', (query, resolver) => [[change(answerOf(query), 0), resolver]]],
      ['wrong_question', (query, resolver) => [[change(answerOf(query), 13), resolver]]],
      ['malformed', (query, resolver) => [[query.slice(0, 11), resolver]]],
      ['malformed', (query, resolver) => [[answerOf(query).slice(0, -1), resolver]]],
    ]
    for (const [counter, respond] of oddities) {
      const { records, counters } = run(
        20,
        (query, resolver) => [...respond(query, resolver), [answerOf(query), resolver]],
        {},
        1,
      )
      expect([counter, counters[counter]]).toEqual([counter, 20])
      expect(counters).toMatchObject({ answered: 20, retransmissions: 0 })
      expect(records.every(({ status }) => status === 'NOERROR')).toBe(true)
    }
  })
  test('tells a duplicate from a late answer', () => {
    const twice = run(20, (query, resolver) => [
      [answerOf(query), resolver],
      [answerOf(query), resolver],
    ])
    expect(twice.counters).toMatchObject({ duplicate: 20, late: 0, wrong_id: 0, answered: 20 })
    let held: (readonly [Uint8Array, number])[] = []
    const late = run(
      20,
      (query, resolver) => {
        const before = held
        held = [[answerOf(query), resolver]]
        return before
      },
      { retries: 1 },
      1,
    )
    expect(late.counters.finished).toBe(20)
    expect(late.records).toHaveLength(20)
    expect(late.counters.late + late.counters.answered).toBeGreaterThan(0)
  })
  test('asks over TCP what was truncated', () => {
    const { records, counters } = run(20, (query, resolver) => {
      const answer = answerOf(query)
      answer[2] = (answer[2] ?? 0) | 0x02
      return [[answer, resolver]]
    })
    expect(records.every(({ proto, status }) => proto === 'TCP' && status === 'NOERROR')).toBe(true)
    expect(counters).toMatchObject({ truncated: 20, answered: 20 })
  })
  test('asks another resolver again after the RCODEs that are retried, and takes the last answer', () => {
    const servfail = (query: Uint8Array): Uint8Array => answerOf(query).with(3, 0x82)
    const isRetried = new Uint8Array(16).fill(1, 2, 3)
    const helped = run(60, (query, resolver) => [[resolver === 0 ? servfail(query) : answerOf(query), resolver]], {
      isRetried,
    })
    expect(helped.records.every(({ status, tries }) => status === 'NOERROR' && tries <= 2)).toBe(true)
    expect(helped.counters.retransmissions).toBeGreaterThan(0)
    const hopeless = run(60, (query, resolver) => [[servfail(query), resolver]], { isRetried })
    expect(hopeless.records.every(({ status, tries }) => status === 'SERVFAIL' && tries === 4)).toBe(true)
    const plain = run(60, (query, resolver) => [[servfail(query), resolver]])
    expect(plain.records.every(({ status, tries }) => status === 'SERVFAIL' && tries === 1)).toBe(true)
  })
  test('loses no name and gives none twice with 5 % loss each way, within the bounds', () => {
    const random = createSeededRandom('loss')
    const names = 20_000
    const { records, counters } = run(names, (query, resolver) =>
      randomInt(random, 10_000) < 975 ? [] : [[answerOf(query), resolver]],
    )
    const p = 0.0975
    const expected = names * (p + p ** 2 + p ** 3)
    expect(new Set(records.map(({ name }) => name)).size).toBe(names)
    expect(records).toHaveLength(names)
    expect(Math.abs(counters.retransmissions - expected) / expected).toBeLessThan(0.1)
    expect(counters.finished_ms - counters.first_send_ended_ms).toBeLessThan(2 * 7_500)
  })
  test('stops also while the system takes only part of what is offered', () => {
    let sent = 0
    const respond: Respond = (query, resolver) => {
      sent++
      return [[answerOf(query), resolver]]
    }
    const { records, checkpoint } = run(5_000, respond, { isStopping: () => sent >= 40 }, 3, 1)
    expect(records.length).toBe(sent)
    expect(records.length + (checkpoint?.unfinished.length ?? 0)).toBe(checkpoint?.nextIndex)
  })
  test('stops at the first interrupt with a checkpoint that names what is left', () => {
    let sent = 0
    const { records, checkpoint } = run(
      1000,
      (query, resolver) => {
        sent++
        return [[answerOf(query), resolver]]
      },
      { isStopping: () => sent >= 40, isPaced: Uint8Array.from([1, 1, 1]), pace: { rate: 20, perResolver: 0 } },
    )
    expect(records).toHaveLength(40)
    expect(checkpoint?.nextIndex).toBeGreaterThan(40)
    expect(checkpoint?.unfinished).toHaveLength((checkpoint?.nextIndex ?? 0) - 40)
  })
})
