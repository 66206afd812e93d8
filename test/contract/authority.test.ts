import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthorityLogParser } from '../../src/campaigns/exits/authority-log-parser.ts'
import { openAuthorityLogReader } from '../../src/campaigns/exits/authority-log.ts'
import { decodeMessage } from '../../src/dns/decode-message.ts'
import { encodeQuery } from '../../src/dns/encode-message.ts'
import { parseName } from '../../src/dns/name.ts'
import { TYPE_A } from '../../src/dns/rr-type.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { HOME } from '../tidy/source-tree.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const ZONE = ['authority', '--zone', 'probe.example.org']
const EXPECT = ['--expect', '192.0.2.1,2001:db8::1']

interface Served {
  readonly port: number
  readonly lines: string[]
  readonly stdout: () => string
  stop(): Promise<number | null>
}

/** Starts the command as a process and waits until it says where it listens. */
async function serve(...argv: readonly string[]): Promise<Served> {
  const child = spawn(process.execPath, [join(HOME, 'src/cli/main.ts'), ...ZONE, ...EXPECT, ...argv])
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit')
  const lines: string[] = []
  let stdout = ''
  child.stdout.on('data', (chunk: Uint8Array) => {
    stdout += new TextDecoder().decode(chunk)
  })
  const started = Promise.withResolvers<number>()
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line)
    const port = /^To try it: {2}dig @127\.0\.0\.1 -p (\d+) /.exec(line)?.[1]
    if (port !== undefined) started.resolve(Number(port))
  })
  void exited.then(() => {
    started.reject(new Error(lines.join('\n')))
  })
  return {
    port: await started.promise,
    lines,
    stdout: () => stdout,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = (await exited) as [number | null]
      return code
    },
  }
}

async function askAddress(port: number, text: string): Promise<number> {
  const answered = Promise.withResolvers<number>()
  const socket = await nodeNet.bindUdp(
    { address: '127.0.0.1', port: 0 },
    {
      onDatagram: (octets) => {
        const decoded = decodeMessage(octets)
        answered.resolve(decoded.kind === 'message' ? decoded.message.answers.length : -1)
      },
      onError: () => {
        answered.resolve(-1)
      },
    },
  )
  const query = encodeQuery({ id: 1, name: parseName(text) ?? [], type: TYPE_A, recursionDesired: false })
  await socket.send(query, { address: '127.0.0.1', port })
  const count = await answered.promise
  socket.close()
  return count
}

describe('candor authority', () => {
  test('serves, says how to delegate, writes its log with mode 0600 and ends cleanly', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'candor-authority-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const log = join(directory, 'queries.jsonl')
    const served = await serve('--listen', '127.0.0.1:0', '--ns', 'ns7.probe.example.org=192.0.2.53', '--log', log)
    expect(served.lines.map((line) => line.trim().replaceAll(/ +/g, ' '))).toEqual(
      expect.arrayContaining([
        '; in example.org:',
        'probe.example.org. 3600 IN NS ns7.probe.example.org.',
        'ns7.probe.example.org. 3600 IN A 192.0.2.53',
        'Only this machine can ask here; --listen ADDRESS opens it to others.',
      ]),
    )
    expect(await askAddress(served.port, 'a.probe.example.org')).toBe(1)
    expect(await askAddress(served.port, 'elsewhere.example.com')).toBe(0)
    expect(await served.stop()).toBe(0)
    expect(served.lines.at(-1)).toMatch(/^2 queries, 0 limited/)
    expect(served.stdout()).toBe('')
    expect((await stat(log)).mode & 0o777).toBe(0o600)
    const parser = createAuthorityLogParser()
    const queries = (await readFile(log, 'utf8')).split('\n').flatMap((line) => parser.take(line))
    expect(queries.map((query) => [query.query_name, query.outcome])).toEqual([
      ['a.probe.example.org', 'answered'],
      ['elsewhere.example.com', 'refused'],
    ])
  })

  test('is followed without a gap while its log is rotated', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'candor-authority-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const log = join(directory, 'queries.jsonl')
    const served = await serve('--listen', '127.0.0.1:0', '--log', log, '--log-size', '64k', '--log-files', '99')
    const reader = await openAuthorityLogReader({ files: nodeFiles, path: log, sinceMs: 0 })
    onTestFinished(() => reader.close())
    const names = Array.from({ length: 600 }, (_, index) => `n${index}.probe.example.org`)
    const seen: string[] = []
    const follow = async (): Promise<number> => {
      seen.push(...(await reader.take()).map((query) => query.query_name))
      return seen.length
    }
    for (const name of names) {
      await askAddress(served.port, name)
      if (name.endsWith('00.probe.example.org')) await follow()
    }
    await expect.poll(follow, { timeout: 10_000 }).toBe(names.length)
    expect(seen).toEqual(names)
    expect((await readdir(directory)).length).toBeGreaterThan(1)
    expect(await served.stop()).toBe(0)
  })

  test('prints the queries as JSON Lines where no log is given', async () => {
    const served = await serve('--listen', '127.0.0.1:0')
    await askAddress(served.port, 'b.probe.example.org')
    expect(await served.stop()).toBe(0)
    expect(JSON.parse(served.stdout())).toMatchObject({
      query_name: 'b.probe.example.org',
      source_address: '127.0.0.1',
    })
  })

  test('says that a port is in use, with status 1', async () => {
    const taken = await nodeNet.listenTcp({ address: '127.0.0.1', port: 0 }, () => {})
    onTestFinished(() => taken.close())
    const outcome = await runSimulatedCli([...ZONE, ...EXPECT, '--listen', `127.0.0.1:${taken.local.port}`])
    expect(outcome.status).toBe(1)
    expect(outcome.stderr).toContain('address_in_use')
    expect(outcome.stderr).toContain('--listen')
  })

  test.each([
    [['authority'], '--zone'],
    [ZONE, '--expect 192.0.2.1'],
    [[...ZONE, '--expect', 'example'], '--expect 192.0.2.1'],
    [['authority', '--zone', 'a..b', ...EXPECT], '--zone probe.zone.example'],
    [[...ZONE, ...EXPECT, '--listen', 'localhost'], '--listen 192.0.2.53:53'],
    [[...ZONE, ...EXPECT, '--listen', '127.0.0.1:99999'], '--listen 192.0.2.53:53'],
    [[...ZONE, ...EXPECT, '--ttl', 'x'], '--ttl 60'],
    [[...ZONE, ...EXPECT, '--log-size', '1'], '--log-size'],
    [[...ZONE, ...EXPECT, '--ns', 'ns1.probe.example.org=x'], '--ns 192.0.2.1'],
    [[...ZONE, ...EXPECT, '--second', 'probe.example.org'], 'name each zone once'],
  ])('refuses %j with status 2 and the corrected form', async (argv, fix) => {
    const outcome = await runSimulatedCli(argv)
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(fix)
  })
})
