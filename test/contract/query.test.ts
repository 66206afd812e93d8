import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { FileError } from '../../src/core/files.ts'
import { decodeMessage } from '../../src/dns/decode-message.ts'
import { encodeMessage } from '../../src/dns/encode-message.ts'
import type { DnsMessage, Edns } from '../../src/dns/message.ts'
import { formatName, parseName } from '../../src/dns/name.ts'
import { RCODE_NXDOMAIN } from '../../src/dns/rcode.ts'
import { TYPE_AAAA } from '../../src/dns/rr-type.ts'
import { serveDns, type DnsHandler, type DnsTransport } from '../../src/lab/serve-dns.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { createCliCapabilities, runSimulatedCli, type CliOutcome } from './simulated-cli.ts'

const FINGERPRINT = `tor:${'A'.repeat(40)}`

/** An answer with one address. */
function answer(query: DnsMessage, address: string, changes: Partial<DnsMessage> = {}): DnsMessage {
  const [question] = query.questions
  if (question === undefined) throw new Error('a query without question')
  const isSix = address.includes(':')
  return {
    ...query,
    header: { ...query.header, response: true, recursionAvailable: true },
    answers: [
      {
        name: question.name,
        type: isSix ? TYPE_AAAA : 1,
        class: question.class,
        ttl: 60,
        rdata: { kind: isSix ? 'aaaa' : 'a', address },
      },
    ],
    ...changes,
  }
}

/** Starts a server. @returns How it is named on the command line, and what it was asked. */
async function serve(
  handler: DnsHandler,
): Promise<{ readonly at: string; readonly asked: (readonly [DnsMessage, DnsTransport])[] }> {
  const asked: (readonly [DnsMessage, DnsTransport])[] = []
  const server = await serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, (query, transport) => {
    asked.push([query, transport])
    return handler(query, transport)
  })
  onTestFinished(() => server.close())
  return { at: `@127.0.0.1#${server.endpoint.port}`, asked }
}

function right(query: DnsMessage): Promise<DnsMessage> {
  return Promise.resolve(answer(query, query.questions[0]?.type === TYPE_AAAA ? '2001:db8::1' : '192.0.2.1'))
}

/** The machine as it would be with this resolv.conf and these hosts. */
async function runWithSystem(argv: readonly string[], resolvConf: string, hosts = ''): Promise<CliOutcome> {
  const { capabilities, texts } = createCliCapabilities()
  const read: typeof nodeFiles.read = (path) => {
    if (path === '/etc/hosts') return Promise.resolve(new TextEncoder().encode(hosts))
    if (path === '/etc/resolv.conf' && resolvConf !== '') return Promise.resolve(new TextEncoder().encode(resolvConf))
    return Promise.reject(new FileError('ENOENT', path))
  }
  const status = await runCli(argv, { ...capabilities, files: { ...nodeFiles, read } })
  return { status, ...texts }
}

describe('candor query', () => {
  test('writes one JSON line for each type', async () => {
    const { at } = await serve(right)
    const outcome = await runSimulatedCli(['query', 'www.zone.example', 'A', 'aaaa', at])
    expect(outcome).toMatchObject({ status: 0, stderr: '' })
    const records = outcome.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(records).toMatchObject([
      { query_name: 'www.zone.example.', query_type: 'A', query_class: 'IN', status: 'NOERROR' },
      { query_type: 'AAAA', exchanges: [{ responses: [{ message: { answers: [{ data: '2001:db8::1' }] } }] }] },
    ])
    expect(records[0]).toMatchObject({
      resolver: { address: '127.0.0.1', host: null, source: null },
      exchanges: [
        {
          transport: 'udp',
          failure: null,
          oddities: { wrong_id: 0, wrong_source: 0, wrong_question: 0, malformed: 0 },
          responses: [
            {
              malformed: null,
              message: {
                rcode: 'NOERROR',
                flags: ['qr', 'rd', 'ra', 'ad'],
                answers: [{ name: 'www.zone.example.', type: 'A', class: 'IN', ttl_seconds: 60, data: '192.0.2.1' }],
              },
            },
          ],
        },
      ],
    })
  })

  test('answers people on a terminal, with options of both sides', async () => {
    const { at, asked } = await serve((query) => {
      const options: Edns['options'] = [
        { kind: 'nsid', octets: new TextEncoder().encode('ns\u001B[2J') },
        { kind: 'extended_error', infoCode: 18, text: 'no \u001B]0;x' },
        { kind: 'client_subnet', address: '192.0.2.0', sourceBits: 24, scopeBits: 16 },
      ]
      return Promise.resolve(answer(query, '192.0.2.1', query.edns && { edns: { ...query.edns, options } }))
    })
    const flags = ['--dnssec', '--cd', '--no-recurse', '--nsid', '--subnet', '192.0.2.77/24', '--bufsize', '4096']
    const outcome = await runSimulatedCli(['query', 'www.zone.example', at, ...flags], { isTerminal: true })
    expect(outcome.status).toBe(0)
    expect(outcome.stdout).toContain(';; status: NOERROR')
    expect(outcome.stdout).toContain('www.zone.example.\t60\tIN\tA\t192.0.2.1')
    expect(outcome.stdout).toContain(';; DNSSEC: ad 1, cd 1, do 1')
    expect(outcome.stdout).toContain('EDE: 18 (Prohibited): no \\u{1b}]0;x')
    expect(outcome.stdout).toContain('client subnet: 192.0.2.0/24, scope 16')
    expect(outcome.stdout).toContain('NSID: 6E731B5B324A')
    expect(outcome.stdout).not.toContain('\u001B')
    expect(asked[0]?.[0]).toMatchObject({
      header: { recursionDesired: false, checkingDisabled: true },
      edns: {
        udpSize: 4096,
        dnssecOk: true,
        options: [
          { kind: 'nsid', octets: new Uint8Array(0) },
          { kind: 'client_subnet', address: '192.0.2.0', sourceBits: 24, scopeBits: 0 },
        ],
      },
    })
  })

  test('asks again over TCP after a truncated answer, and keeps both exchanges', async () => {
    const { at, asked } = await serve(async (query, transport) => {
      const whole = await right(query)
      return transport === 'tcp' ? whole : { ...whole, header: { ...whole.header, truncated: true }, answers: [] }
    })
    const outcome = await runSimulatedCli(['query', 'www.zone.example', at])
    expect(asked.map(([, transport]) => transport)).toEqual(['udp', 'tcp'])
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      status: 'NOERROR',
      exchanges: [
        { transport: 'udp', responses: [{ message: { flags: ['qr', 'tc', 'rd', 'ra', 'ad'], answers: [] } }] },
        { transport: 'tcp', responses: [{ message: { answers: [{ data: '192.0.2.1' }] } }] },
      ],
    })
  })

  test('asks again with the cookie of the server after BADCOOKIE', async () => {
    const server = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const { at, asked } = await serve(async (query) => {
      const cookie = query.edns?.options.find((option) => option.kind === 'cookie')
      if (query.edns === undefined || cookie === undefined || cookie.server.length > 0) return await right(query)
      const edns = { ...query.edns, extendedRcode: 1, options: [{ ...cookie, server }] }
      return answer(query, '192.0.2.1', {
        header: { ...query.header, response: true, rcode: 7 },
        answers: [],
        edns,
      })
    })
    const outcome = await runSimulatedCli(['query', 'www.zone.example', at, '--cookie', '--format', 'text'])
    expect(outcome.stdout).toContain('BADCOOKIE; asked again with the new cookie')
    expect(outcome.stdout).toContain('192.0.2.1')
    expect(asked[1]?.[0].edns?.options).toMatchObject([{ kind: 'cookie', server }])
  })

  test('shows every answer of the late window', async () => {
    const socket = await nodeNet.bindUdp(
      { address: '127.0.0.1', port: 0 },
      {
        onDatagram: (octets, from) => {
          const decoded = decodeMessage(octets)
          const respond = async (last: number): Promise<void> => {
            if (decoded.kind === 'message')
              await socket.send(encodeMessage(answer(decoded.message, `192.0.2.${last}`)), from)
          }
          void respond(66).then(() => respond(1))
        },
        onError: () => {},
      },
    )
    onTestFinished(() => {
      socket.close()
    })
    const argv = ['query', 'a.zone.example', `@127.0.0.1#${socket.local.port}`, '--late-window', '300ms']
    const records = JSON.parse((await runSimulatedCli(argv)).stdout) as object
    expect(records).toMatchObject({
      exchanges: [
        {
          responses: [
            { message: { answers: [{ data: '192.0.2.66' }] } },
            { message: { answers: [{ data: '192.0.2.1' }] } },
          ],
        },
      ],
    })
    const text = (await runSimulatedCli([...argv, '--format', 'text'])).stdout
    expect(text).toContain('192.0.2.66')
    expect(text).toMatch(/another answer after [\d.]+ ms: DIFFERENT, NOERROR\n;.*192\.0\.2\.1\n/)
  })

  test('spells the name in random case, and takes no answer that does not repeat the spelling', async () => {
    const name = 'aaaaaaaaaaaaaaaaaaaa.example'
    const repeating = await serve(right)
    const good = await runSimulatedCli(['query', name, 'A', 'AAAA', '--mixed-case', repeating.at])
    expect(good.status).toBe(0)
    const spellings = repeating.asked.map(([query]) => formatName(query.questions[0]?.name ?? []))
    expect(new Set(spellings).size).toBe(2)
    expect(new Set(spellings.map((spelling) => spelling.toLowerCase()))).toEqual(new Set([name]))
    expect(JSON.parse(good.stdout.split('\n')[0] ?? '')).toMatchObject({ query_name: `${name}.`, status: 'NOERROR' })
    const lowering = await serve((query) => {
      const questions = query.questions.map((question) => ({ ...question, name: parseName(name) ?? [] }))
      return right({ ...query, questions })
    })
    const bad = await runSimulatedCli(['query', name, '--mixed-case', lowering.at, '--timeout', '300ms'])
    expect(bad.status).toBe(1)
    expect(JSON.parse(bad.stdout)).toMatchObject({ exchanges: [{ oddities: { wrong_question: 1 } }] })
  })

  test('prints data alone with --format short', async () => {
    const { at } = await serve(right)
    expect((await runSimulatedCli(['query', 'a.example', 'A', 'AAAA', at, '--format', 'short'])).stdout).toBe(
      '192.0.2.1\n2001:db8::1\n',
    )
  })

  test('ends with 0 on any RCODE, and with 4 where another one was expected', async () => {
    const { at } = await serve((query) =>
      Promise.resolve(
        answer(query, '192.0.2.1', { header: { ...query.header, response: true, rcode: RCODE_NXDOMAIN }, answers: [] }),
      ),
    )
    expect((await runSimulatedCli(['query', 'a.example', at])).status).toBe(0)
    expect((await runSimulatedCli(['query', 'a.example', at, '--expect-rcode', 'nxdomain'])).status).toBe(0)
    expect((await runSimulatedCli(['query', 'a.example', at, '--expect-rcode', 'NOERROR'])).status).toBe(4)
  })

  test('ends with 1 and the failure when nobody answers', async () => {
    const { at } = await serve(() => Promise.resolve(undefined))
    const outcome = await runSimulatedCli(['query', 'a.example', at, '--timeout', '50ms'])
    expect(outcome.status).toBe(1)
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      status: null,
      exchanges: [{ failure: { operation: 'exchange', failure: 'generic_timeout_error', side: 'resolver' } }],
    })
  })

  test('asks for the name of an address with -x', async () => {
    const { at, asked } = await serve(right)
    await runSimulatedCli(['query', '-x', '192.0.2.5', at])
    await runSimulatedCli(['query', '-x', '2001:db8::5', at])
    expect(asked.map(([query]) => query.questions)).toEqual([
      [{ name: parseName('5.2.0.192.in-addr.arpa'), type: 12, class: 1 }],
      [{ name: parseName(`5.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`), type: 12, class: 1 }],
    ])
  })

  test('asks the resolver of the system where none is named', async () => {
    const { at, asked } = await serve(right)
    const port = at.split('#')[1] ?? ''
    const outcome = await runWithSystem(['query', 'a.example', '-p', port], '# mine\nnameserver 127.0.0.1\n')
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      resolver: { address: '127.0.0.1', source: '/etc/resolv.conf' },
      status: 'NOERROR',
    })
    expect(asked).toHaveLength(1)
  })

  test('finds the address of a resolver that is named by its host, and says where', async () => {
    const { at } = await serve(right)
    const named = `@ns.zone.example#${at.split('#')[1] ?? ''}`
    const outcome = await runWithSystem(['query', 'a.example', named], '', '127.0.0.1 other ns.zone.example # x\n')
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      resolver: { address: '127.0.0.1', host: 'ns.zone.example', source: '/etc/hosts' },
      status: 'NOERROR',
    })
  })

  test('says that the system names no resolver, with status 1', async () => {
    const outcome = await runWithSystem(['query', 'a.example'], '')
    expect(outcome).toMatchObject({ status: 1, stdout: '' })
    expect(outcome.stderr).toContain('@192.0.2.53')
  })

  test.each([
    [[], 'no name is given'],
    [['a..b'], 'no domain name'],
    [['a.example', 'NOTYPE'], 'neither a record type nor a class'],
    [['a.example', '@192.0.2.1', '@192.0.2.2'], 'one resolver'],
    [['a.example', '@1.2.3'], '@192.0.2.53'],
    [['a.example', '@192.0.2.1#99999'], '@192.0.2.53'],
    [['-x', 'a.example'], '-x 192.0.2.1'],
    [['a.example', '--subnet', 'here'], '--subnet 192.0.2.0/24'],
    [['a.example', '--bufsize', '12'], '--bufsize 1232'],
    [['a.example', '--timeout', 'soon'], '--timeout 5s'],
    [['a.example', '--late-window', '2h'], '--late-window 500ms'],
    [['a.example', '--expect-rcode', 'NO'], '--expect-rcode NXDOMAIN'],
    [['a.example', '--via', 'tor:abc'], '40 hexadecimal digits'],
    [['a.example', '--via', FINGERPRINT, '--first-hop', 'abc'], '--first-hop FINGERPRINT'],
    [['a.example', '--via', FINGERPRINT, '--control', 'here'], '--control 127.0.0.1:9051'],
    [['a.example', '--via', FINGERPRINT, '--control', '9051', '--tor-dir', 'x'], 'leave one of them out'],
    [['a.example', '--via', FINGERPRINT, '--control', '192.0.2.1:9051'], 'run the command where that Tor runs'],
    [['a.example', 'MX', '--via', FINGERPRINT], 'over TCP through the exit'],
    [['a.example', '--nsid', '--via', FINGERPRINT], 'over TCP through the exit'],
    [['a.example', '--mixed-case', '--via', FINGERPRINT], 'over TCP through the exit'],
    [['a.example', '--no-recurse', '--via', FINGERPRINT], 'over TCP through the exit'],
    [['a\\046b.example', '--via', FINGERPRINT], 'letters, digits'],
    [['a.example', '--via', FINGERPRINT, '@192.0.2.1', '--tls'], 'leave out --tls and --https'],
    [['a.example', '--via', FINGERPRINT, '--torrc-append', '/nonexistent'], '--torrc-append FILE'],
  ])('refuses %j with status 2 and the corrected form', async (argv, fix) => {
    const outcome = await runSimulatedCli(['query', ...argv])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(fix)
  })
})
