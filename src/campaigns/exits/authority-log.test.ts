import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert as check, property, string, array, constantFrom, oneof } from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { AuthorityQuery } from '../../model/authority-query.ts'
import { nodeFiles } from '../../platform/node-files.ts'
import { createAuthorityLogParser } from './authority-log-parser.ts'
import { openAuthorityLogReader, type AuthorityLogReader } from './authority-log.ts'

const SINCE_MS = Date.UTC(2026, 0, 1)

function query(name: string, changes: Partial<AuthorityQuery> = {}): AuthorityQuery {
  return {
    timestamp: '2026-01-31T12:00:00.000Z',
    source_address: '198.51.100.53',
    source_port: 53_000,
    transport: 'udp',
    query_name: name,
    query_type: 'A',
    id: 1,
    recursion_desired: false,
    edns_udp_size: 1232,
    dnssec_ok: true,
    client_subnet: null,
    cookie: false,
    mixed_case: false,
    outcome: 'answered',
    rcode: 0,
    ...changes,
  }
}

const line = (name: string, changes: Partial<AuthorityQuery> = {}): string =>
  `${JSON.stringify(query(name, changes))}\n`

async function temporaryPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-authority-log-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'queries.jsonl')
}

async function open(path: string, sinceMs = SINCE_MS): Promise<AuthorityLogReader> {
  const reader = await openAuthorityLogReader({ files: nodeFiles, path, sinceMs })
  onTestFinished(() => reader.close())
  return reader
}

async function takeNames(reader: AuthorityLogReader): Promise<string[]> {
  return (await reader.take()).map((found) => found.query_name)
}

function parse(text: string): { queries: AuthorityQuery[]; malformed: number } {
  const parser = createAuthorityLogParser()
  const queries = text.split('\n').flatMap((one) => parser.take(one))
  return { queries: [...queries, ...parser.flush()], malformed: parser.malformedCount() }
}

describe('createAuthorityLogParser', () => {
  test("reads BIND's query log with every form of date", () => {
    const { queries, malformed } = parse(
      [
        '20-Nov-2026 22:35:10.354 queries: info: client @0x7fa0ef90d098 ::1#44664 (Six.probe.example.org): query: Six.probe.example.org IN AAAA -E(0)K (::1)',
        '2026-11-20T22:35:10.378Z client @0x7fa0ef910898 127.0.0.1#32987 (tcp.probe.example.org): query: tcp.probe.example.org IN A +E(0)TDCK (127.0.0.1) [ECS 2001:db8::/48/0]',
        '20-Nov-2026 22:32:32.690 client @0x7fbc1f90d098 127.0.0.1#52225 (MiXed.pRobe.example.org): view all: query: MiXed.pRobe.example.org IN TYPE65280 + (127.0.0.1)',
        '20-Nov-2026 22:32:32.906 client @0x7fbc21c1a098 127.0.0.1#59959 (outside.example.com): query failed (REFUSED) for outside.example.com/IN/A at query.c:5708',
      ].join('\n'),
    )
    expect(malformed).toBe(0)
    expect(queries).toEqual([
      query('Six.probe.example.org', {
        timestamp: '2026-11-20T22:35:10.354Z',
        source_address: '::1',
        source_port: 44_664,
        query_type: 'AAAA',
        id: 0,
        edns_udp_size: 0,
        dnssec_ok: false,
        cookie: true,
        mixed_case: true,
      }),
      query('tcp.probe.example.org', {
        timestamp: '2026-11-20T22:35:10.378Z',
        source_address: '127.0.0.1',
        source_port: 32_987,
        transport: 'tcp',
        id: 0,
        recursion_desired: true,
        edns_udp_size: 0,
        cookie: true,
        client_subnet: '2001:db8::/48',
      }),
      query('MiXed.pRobe.example.org', {
        timestamp: '2026-11-20T22:32:32.690Z',
        source_address: '127.0.0.1',
        source_port: 52_225,
        query_type: 'TYPE65280',
        id: 0,
        recursion_desired: true,
        edns_udp_size: null,
        dnssec_ok: false,
        mixed_case: true,
      }),
    ])
  })

  test('reads dnstap-read, short and long, and only what the server received', () => {
    const { queries, malformed } = parse(
      [
        '20-Nov-2026 22:35:10.354 AQ ::1:44664 -> ::1:25301 UDP 62b Six.probe.example.org/IN/AAAA',
        '20-Nov-2026 22:35:10.355 AR ::1:44664 <- ::1:25301 UDP 144b Six.probe.example.org/IN/AAAA',
        ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id:  60912',
        '; EDNS: version: 0, flags: do; udp: 4096',
        '',
        '20-Nov-2026 22:35:10.378 AQ 127.0.0.1:32987 -> 127.0.0.1:25301 TCP 76b tcp.probe.example.org/IN/A',
        ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id:   7755',
        ';; flags: rd ad cd; QUESTION: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1',
        ';; OPT PSEUDOSECTION:',
        '; EDNS: version: 0, flags: do; udp: 1232',
        '; CLIENT-SUBNET: 2001:db8::/48/0',
        '; COOKIE: e78dea4b7130ce25',
        ';; QUESTION SECTION:',
        ';tcp.probe.example.org.\t\tIN\tA',
        '',
        ';; ANSWER SECTION:',
        'six.probe.example.org.\t60\tIN\tAAAA\t2001:db8::1',
      ].join('\n'),
    )
    expect(malformed).toBe(0)
    expect(queries).toMatchObject([
      { query_name: 'Six.probe.example.org', source_address: '::1', source_port: 44_664, edns_udp_size: null, id: 0 },
      {
        query_name: 'tcp.probe.example.org',
        transport: 'tcp',
        id: 7755,
        recursion_desired: true,
        edns_udp_size: 1232,
        dnssec_ok: true,
        client_subnet: '2001:db8::/48',
        cookie: true,
      },
    ])
    expect(queries).toHaveLength(2)
  })

  test('reads the blocks of kdig', () => {
    const { queries, malformed } = parse(
      [
        ';; ->>HEADER<<- opcode: QUERY; status: NOERROR; id: 36198',
        ';; Flags: rd ad cd; QUERY: 1; ANSWER: 0; AUTHORITY: 0; ADDITIONAL: 1',
        '',
        ';; EDNS PSEUDOSECTION:',
        ';; Version: 0; flags: do; UDP size: 1232 B; ext-rcode: NOERROR',
        ';; CLIENT-SUBNET: 198.51.100.0/24/0',
        ';; COOKIE: 31F51732EA51D86F',
        '',
        ';; QUESTION SECTION:',
        ';; MiXed.probe.example.org. \tIN\tA',
        '',
        ';; Received 134 B',
        ';; Time 2026-11-20 22:32:32 UTC',
        ';; From 127.0.0.1@36873(TCP) in 0.0 ms',
        ';; ->>HEADER<<- opcode: QUERY; status: REFUSED; id: 60912',
        ';; Flags: qr; QUERY: 1; ANSWER: 0; AUTHORITY: 0; ADDITIONAL: 0',
        '',
        ';; QUESTION SECTION:',
        ';; outside.example.com.\t\tIN\tAAAA',
        '',
        ';; Sent 144 B',
        ';; Time 2026-11-20 22:35:10 UTC',
        ';; To ::1@44664(UDP) in 0.0 ms',
      ].join('\n'),
    )
    expect(malformed).toBe(0)
    expect(queries).toEqual([
      query('MiXed.probe.example.org', {
        timestamp: '2026-11-20T22:32:32.000Z',
        source_address: '127.0.0.1',
        source_port: 36_873,
        transport: 'tcp',
        id: 36_198,
        recursion_desired: true,
        client_subnet: '198.51.100.0/24',
        cookie: true,
        mixed_case: true,
      }),
      query('outside.example.com', {
        timestamp: '2026-11-20T22:35:10.000Z',
        source_address: '::1',
        source_port: 44_664,
        query_type: 'AAAA',
        id: 60_912,
        edns_udp_size: null,
        dnssec_ok: false,
        outcome: 'refused',
        rcode: 5,
      }),
    ])
  })

  test('counts malformed lines and keeps their numbers', () => {
    const parser = createAuthorityLogParser()
    const lines = [
      JSON.stringify(query('a')),
      'hello',
      '{"timestamp":',
      JSON.stringify({ ...query('b'), source_address: '999.1.1.1' }),
      JSON.stringify({ ...query('c'), id: 1.5 }),
      JSON.stringify({ ...query('d'), extra: 'x' }),
      `{"a":"${'x'.repeat(5000)}"}`,
      '99-Xxx-2026 22:35:10.354 AQ ::1:44664 -> ::1:25301 UDP 62b six/IN/AAAA',
    ]
    const queries = lines.flatMap((one) => parser.take(one))
    expect(queries).toEqual([query('a'), query('d')])
    expect(parser.malformedCount()).toBe(6)
    expect(parser.malformedLines().map((one) => one.line)).toEqual([2, 3, 4, 5, 7, 8])
    expect(parser.malformedLines().every((one) => one.text.length <= 200)).toBe(true)
  })

  test('takes any text without throwing', () => {
    const fragment = oneof(
      string(),
      constantFrom(
        ';; ->>HEADER<<- opcode: QUERY; status: NOERROR; id: 1',
        ';; From x@1(UDP) in',
        '; EDNS: version: 0, flags: do; udp: 1232',
        '20-Nov-2026 22:35:10.354 AQ ::1:44664 -> ::1:25301 UDP 62b six/IN/AAAA',
        '{"timestamp":"x"}',
        'null',
      ),
    )
    check(
      property(array(fragment, { maxLength: 20 }), (lines) => {
        const { queries, malformed } = parse(lines.join('\n'))
        expect(queries.length + malformed).toBeLessThanOrEqual(lines.join('\n').split('\n').length)
      }),
    )
  })
})

describe('openAuthorityLogReader', () => {
  test('follows a file that grows in pieces, from before it exists', async () => {
    const path = await temporaryPath()
    const reader = await open(path)
    expect(await takeNames(reader)).toEqual([])
    await writeFile(path, line('a') + line('b').slice(0, 40))
    expect(await takeNames(reader)).toEqual(['a'])
    await appendFile(path, line('b').slice(40))
    expect(await takeNames(reader)).toEqual(['b'])
    expect(await takeNames(reader)).toEqual([])
    expect(reader.malformedCount()).toBe(0)
  })

  test('loses nothing when the file is rotated or cut off in place', async () => {
    const path = await temporaryPath()
    await writeFile(path, line('a'))
    const reader = await open(path)
    expect(await takeNames(reader)).toEqual(['a'])
    await appendFile(path, line('b'))
    await rename(path, `${path}.1`)
    await writeFile(path, line('c') + line('c'))
    expect(await takeNames(reader)).toEqual(['b', 'c', 'c'])
    await truncate(path)
    await appendFile(path, line('d'))
    expect([...(await takeNames(reader)), ...(await takeNames(reader))]).toEqual(['d'])
  })

  test('loses and repeats nothing while small files are rotated as fast as they can be', async () => {
    const path = await temporaryPath()
    const reader = await open(path)
    const seen: string[] = []
    const written = new AbortController()
    const follow = (async (): Promise<void> => {
      while (!written.signal.aborted) seen.push(...(await takeNames(reader)))
    })()
    const names: string[] = []
    for (let file = 0; file < 90; file++) {
      for (let index = file - 1; index >= 1; index--) await rename(`${path}.${index}`, `${path}.${index + 1}`)
      if (file > 0) await rename(path, `${path}.1`)
      const own = [`a${file}.example`, `b${file}.example`]
      await writeFile(path, own.map((name) => line(name)).join(''))
      names.push(...own)
    }
    written.abort()
    await follow
    await expect.poll(async () => seen.push(...(await takeNames(reader)))).toBe(names.length)
    expect(seen).toEqual(names)
  })

  test('begins with rotated files that are young enough, and leaves out what is older than the run', async () => {
    const path = await temporaryPath()
    await writeFile(`${path}.2`, line('a'))
    await writeFile(`${path}.1`, line('old', { timestamp: '2025-12-31T23:59:59.999Z' }) + line('b'))
    await writeFile(path, line('c'))
    const reader = await open(path)
    expect(await takeNames(reader)).toEqual(['a', 'b', 'c'])
    const later = await open(path, Date.now() + 60_000)
    expect(await takeNames(later)).toEqual([])
  })

  test('gives at most 100,000 queries a call and cuts endless lines', async () => {
    const path = await temporaryPath()
    await writeFile(path, 'x'.repeat(1_000_000) + '\n' + line('a').repeat(120_000))
    const reader = await open(path)
    let total = 0
    for (let calls = 0; calls < 5; calls++) {
      const { length } = await reader.take()
      expect(length).toBeLessThanOrEqual(100_000)
      total += length
    }
    expect(total).toBe(120_000)
    expect(reader.malformedLines()).toMatchObject([{ line: 1 }])
  })
})
