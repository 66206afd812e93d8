/** `candor bulk` over TCP, TLS and HTTPS, against a real dnsdist. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:tls'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runSimulatedCli, type CliOutcome } from '../contract/simulated-cli.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { HOME } from '../tidy/source-tree.ts'
import { answerAddress } from './answer-address.ts'
import { startBulkResponder } from './bulk-responder.ts'
import { hasDnsdist, startDnsdist } from './dnsdist.ts'
import { makeTestCertificates } from './test-certificates.ts'

const MAIN = join(HOME, 'src/cli/main.ts')
const certificates = hasDnsdist ? makeTestCertificates() : undefined

interface BulkRecord {
  readonly name: string
  readonly status: string
  readonly proto: string
  readonly resolver: string
  readonly tries: number
}

const namesText = (count: number): string => Array.from({ length: count }, (_, i) => `n${i}.example\n`).join('')

const readRecords = (directory: string): readonly BulkRecord[] =>
  readFileSync(join(directory, 'out'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BulkRecord)

const readStatus = (directory: string): Readonly<Record<string, number>> =>
  JSON.parse(readFileSync(join(directory, 'status'), 'utf8')) as Readonly<Record<string, number>>

/** Writes the input, and gives the arguments of a run over it. */
function argumentsOf(
  directory: string,
  names: string,
  resolvers: readonly string[],
  more: readonly string[],
): string[] {
  const path = (name: string): string => join(directory, name)
  writeFileSync(path('names'), names)
  writeFileSync(path('resolvers'), resolvers.map((resolver) => `${resolver}\n`).join(''))
  const files = ['--names', path('names'), '--resolvers', path('resolvers'), '--output', path('out')]
  return ['bulk', ...files, '--status-file', path('status'), '--seed', 'seed', ...more]
}

async function runBulk(
  directory: string,
  names: string,
  resolvers: readonly string[],
  more: readonly string[] = [],
): Promise<CliOutcome> {
  return await runSimulatedCli(argumentsOf(directory, names, resolvers, more))
}

const protocolsOf = (records: readonly BulkRecord[]): readonly string[] =>
  [...new Set(records.map(({ proto }) => proto))].toSorted()

describe('candor bulk over connections', () => {
  test('asks over TCP, and asks over TCP again what was truncated over UDP', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder({
      respond: (_query, plain) => [plain.with(2, (plain[2] ?? 0) | 0x02)],
    })
    const list = [`127.0.0.1#${server.port}`, `tcp://127.0.0.1:${server.port}`]
    const { status } = await runBulk(directory, namesText(400), list)
    expect(status).toBe(0)
    const records = readRecords(directory)
    expect(new Set(records.map(({ name }) => name)).size).toBe(400)
    expect(records).toHaveLength(400)
    expect(records.every((record) => record.status === 'NOERROR' && record.tries === 1)).toBe(true)
    expect(protocolsOf(records)).toEqual(['TCP'])
    expect(readStatus(directory)['truncated']).toBe(server.queries())
  })
  test('asks again for the RCODEs that are named', async () => {
    const directory = makeTemporaryDirectory()
    await using failing = await startBulkResponder({ respond: (_query, plain) => [plain.with(3, 0x82)] })
    await using good = await startBulkResponder()
    const list = [`127.0.0.1#${failing.port}`, `tcp://127.0.0.1:${good.port}`]
    await runBulk(directory, namesText(60), list, ['--retry-rcodes', 'SERVFAIL'])
    expect(readRecords(directory).every(({ status }) => status === 'NOERROR')).toBe(true)
    await runBulk(directory, namesText(60), list)
    expect(new Set(readRecords(directory).map(({ status }) => status))).toEqual(new Set(['NOERROR', 'SERVFAIL']))
    expect((await runBulk(directory, 'a.example\n', list, ['--retry-rcodes', 'BAD'])).status).toBe(2)
  })
  test('says why a resolver cannot be reached, and gives each name its record', async () => {
    const directory = makeTemporaryDirectory()
    const { status, stderr } = await runBulk(directory, namesText(3), ['tcp://127.0.0.1:1'], ['--retries', '1'])
    expect(status).toBe(0)
    expect(stderr).toContain('tcp://127.0.0.1:1: connection_refused (connect)')
    expect(readRecords(directory).map((record) => `${record.status} ${record.proto} ${record.tries}`)).toEqual(
      Array(3).fill('TIMEOUT TCP 2'),
    )
  })
  test('begins nothing new after the deadline or an interrupt, and resumes to one record for each name', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    const list = [`tcp://127.0.0.1:${server.port}`]
    const argv = argumentsOf(directory, namesText(900), list, ['--rate', '300'])
    const late = await runSimulatedCli([...argv, '--deadline', '1s'])
    expect(late.status).toBe(3)
    expect(late.stderr).toContain('the deadline has come')
    const first = readRecords(directory).length
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(900)
    const child = spawn(process.execPath, [MAIN, ...argv, '--resume'], { stdio: 'ignore' })
    const closed = once(child, 'close')
    const size = (): number => statSync(join(directory, 'out')).size
    const before = size()
    for (let i = 0; i < 200 && size() <= before; i++) await new Promise((resolve) => setTimeout(resolve, 25))
    child.kill('SIGINT')
    expect(await closed).toEqual([130, null])
    expect((await runSimulatedCli([...argv, '--resume'])).status).toBe(0)
    const records = readRecords(directory)
    expect(new Set(records.map(({ name }) => name)).size).toBe(900)
    expect(records).toHaveLength(900)
  })
  test('ends with status 1 when the disk is full, and reads names from a pipe', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    symlinkSync('/dev/full', join(directory, 'out'))
    const argv = argumentsOf(directory, namesText(500), [`tcp://127.0.0.1:${server.port}`], [])
    const outcome = await runSimulatedCli(argv)
    expect(outcome.status).toBe(1)
    expect(outcome.stderr).toContain('the disk is full')
    const words = ['bulk', '--names', '-', '--resolvers', join(directory, 'resolvers'), '--format', 'bin', '--quiet']
    const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.end(namesText(300))
    let octets = Buffer.alloc(0)
    child.stdout.on('data', (chunk: Buffer) => {
      octets = Buffer.concat([octets, chunk])
    })
    expect(await once(child, 'close')).toEqual([0, null])
    let count = 0
    for (let at = 0; at < octets.length; at += 4 + octets.readUInt32LE(at)) {
      // 1 is UDP, 2 TCP.
      expect(octets[at + 29]).toBe(2)
      count++
    }
    expect(count).toBe(300)
  })
  test('asks a second resolver where the first is slow', async () => {
    const directory = makeTemporaryDirectory()
    await using silent = await startBulkResponder({ respond: () => [] })
    await using good = await startBulkResponder()
    const list = [`127.0.0.1#${silent.port}`, `tcp://127.0.0.1:${good.port}`]
    // Long enough that a machine with other work has answered over TCP before the hedge looks for a free resolver.
    const options = ['--hedge', '300', '--timeout', '1500']
    expect((await runBulk(directory, namesText(100), list, options)).status).toBe(0)
    const { hedges = 0, first_sends: firsts = 0 } = readStatus(directory)
    expect(hedges).toBeGreaterThan(0)
    expect(hedges).toBeLessThanOrEqual(firsts * 0.1)
    expect(readRecords(directory).every(({ status }) => status === 'NOERROR')).toBe(true)
    expect((await runBulk(directory, 'a.example\n', ['127.0.0.1'], ['--hedge', '20'])).status).toBe(2)
    expect((await runBulk(directory, 'a.example\n', ['127.0.0.1'], ['--no-verify'])).status).toBe(2)
  })
})

describe.skipIf(certificates === undefined)('candor bulk over TLS and HTTPS (needs dnsdist and openssl)', () => {
  const files = certificates as NonNullable<typeof certificates>

  test('asks over TLS and HTTPS, one record for each name, and pins a name to a resolver', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const directory = makeTemporaryDirectory()
    const tls = `tls://127.0.0.1:${dnsdist.tls.port}`
    const https = `https://127.0.0.1:${dnsdist.https.port}/dns-query`
    const names = `${namesText(1_500)}pinned.example A ${tls}\n`
    const outcome = await runBulk(directory, names, [tls, https], ['--ca', files.authorityFile, '--type', 'A,AAAA'])
    expect(outcome.status).toBe(0)
    const records = readRecords(directory)
    expect(records).toHaveLength(3_001)
    expect(
      new Set(records.map((record) => JSON.stringify([record.name, (record as { type?: string }).type]))).size,
    ).toBe(3_001)
    expect(records.every(({ status }) => status === 'NOERROR')).toBe(true)
    expect(protocolsOf(records)).toEqual(['HTTPS', 'TLS'])
    expect(records.find(({ name }) => name === 'pinned.example.')).toMatchObject({ proto: 'TLS', tries: 1 })
  })
  test('refuses a bad certificate with its reason, and takes it with --no-verify', async () => {
    await using dnsdist = await startDnsdist(files.wrongHost, answerAddress)
    const directory = makeTemporaryDirectory()
    const list = [`tls://127.0.0.1:${dnsdist.tls.port}`]
    const strict = await runBulk(directory, namesText(5), list, ['--ca', files.authorityFile, '--retries', '0'])
    expect(strict.stderr).toContain('ssl_invalid_hostname (tls_handshake)')
    expect(readRecords(directory).every(({ status }) => status === 'TIMEOUT')).toBe(true)
    await runBulk(directory, namesText(5), list, ['--no-verify'])
    expect(readRecords(directory).every(({ status }) => status === 'NOERROR')).toBe(true)
  })
  test('asks trusted resolvers over TLS for what others answered', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    await using server = await startBulkResponder()
    const directory = makeTemporaryDirectory()
    const trusted = join(directory, 'trusted')
    writeFileSync(trusted, `tls://127.0.0.1:${dnsdist.tls.port}\n`)
    const options = ['--trusted', trusted, '--ca', files.authorityFile, '--hedge', '50']
    expect((await runBulk(directory, namesText(50), [`127.0.0.1#${server.port}`], options)).status).toBe(0)
    const records = readRecords(directory)
    expect(records).toHaveLength(50)
    expect(protocolsOf(records)).toEqual(['TLS'])
  })
  test('goes on when the server is started again', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const directory = makeTemporaryDirectory()
    const list = [`https://127.0.0.1:${dnsdist.https.port}/dns-query`]
    const options = ['--ca', files.authorityFile, '--rate', '400', '--retries', '6']
    const running = runBulk(directory, namesText(1_200), list, options)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await dnsdist.restart()
    expect((await running).status).toBe(0)
    const records = readRecords(directory)
    expect(records.every(({ status }) => status === 'NOERROR')).toBe(true)
    expect(new Set(records.map(({ name }) => name)).size).toBe(1_200)
    expect(records).toHaveLength(1_200)
  })
  test('resumes after kill -9 to one record for each name', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const directory = makeTemporaryDirectory()
    const list = [`tls://127.0.0.1:${dnsdist.tls.port}`, `https://127.0.0.1:${dnsdist.https.port}/dns-query`]
    const argv = argumentsOf(directory, namesText(3_000), list, ['--ca', files.authorityFile, '--rate', '1000'])
    const child = spawn(process.execPath, [MAIN, ...argv], { stdio: 'ignore' })
    const closed = once(child, 'close')
    const journal = join(directory, 'out.journal')
    for (let i = 0; i < 800 && !existsSync(journal); i++) await new Promise((resolve) => setTimeout(resolve, 25))
    child.kill('SIGKILL')
    expect(await closed).toEqual([null, 'SIGKILL'])
    const begun = JSON.parse(readFileSync(journal, 'utf8')) as { readonly next_index: number }
    expect(begun.next_index).toBeGreaterThan(0)
    expect((await runSimulatedCli([...argv, '--resume'])).status).toBe(0)
    const records = readRecords(directory)
    expect(new Set(records.map(({ name }) => name)).size).toBe(3_000)
    expect(records).toHaveLength(3_000)
  })
  test('names a server that speaks no HTTP/2', async () => {
    const directory = makeTemporaryDirectory()
    const key = { cert: readFileSync(files.right.certificate), key: readFileSync(files.right.key) }
    for (const ALPNProtocols of [undefined, ['http/1.1']]) {
      const server = createTlsServer(
        { ...key, ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }) },
        (socket) => {
          socket.on('error', () => {})
          socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
        },
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      const address = server.address()
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0
      const options = ['--ca', files.authorityFile, '--retries', '0']
      const outcome = await runBulk(directory, namesText(1), [`https://127.0.0.1:${port}/`], options)
      expect(outcome.stderr).toContain('ssl_no_application_protocol (tls_handshake)')
    }
  })
})
