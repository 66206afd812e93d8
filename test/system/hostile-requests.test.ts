/** A real daemon on loopback under requests that nobody friendly sends: right answers, bounded memory, nothing written. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatRequest, sendRaw, type RawAnswer } from './hostile-client.ts'
import { mutateRequests } from './hostile-mutations.ts'
import { eventually, startCandor, type RunningCommand } from './laboratory-run.ts'

const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const REQUESTS = isFull ? 100_000 : 5_000
/** Some requests end only when the server has waited long enough for the rest. */
const AT_ONCE = isFull ? 64 : 16
const TIMEOUT_MS = 900_000
const SEED = process.env['CANDOR_SEED'] ?? '20261121'
/**
 * What a daemon may need under fire. About 35 MiB are live after any number of requests; the rest is Node with the program
 * loaded, and what the engine keeps for requests in flight, which levels off.
 */
const MEMORY_MIB_MAX = isFull ? 400 : 300
const STREAMS_MAX = 64

describe('a daemon under hostile requests', () => {
  let directory: string
  let daemon: RunningCommand
  let port: number
  let token: string

  async function candor(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await startCandor(args, {}).outcome
    if (status !== 0) throw new Error(`candor ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'candor-hostile-'))
    const data = join(directory, 'data')
    await candor('lab', 'history', '--runs', '4', '--relays', '300', '--seed', SEED, '--data-dir', data)
    token = (await candor('tokens', 'add', 'all', '--write', '--data-dir', data)).trim()
    const config = join(directory, 'candor.toml')
    await writeFile(
      config,
      `data_dir = "${data}"\n[serve]\nport = 0\nevent_streams = ${STREAMS_MAX}\n[schedule]\nexits = "never"\nretention = "never"\n[exits]\nanalysis_dir = "${join(directory, 'results')}"\n`,
    )
    daemon = startCandor(['serve', '--config', config], {})
    let url: string | undefined
    await eventually(async () => {
      url = /"url":"(http:[^"]+)"/.exec(daemon.stderr())?.[1]
      return url !== undefined
    }, 60_000)
    if (url === undefined) throw new Error(daemon.stderr())
    port = Number(new URL(url).port)
    // What the first requests load is no leak.
    for (const path of ['/', '/exits', '/metrics', '/api/v1/exits', '/openapi.json']) {
      const { status, body } = await sendRaw(port, formatRequest('GET', path))
      if (status !== 200) throw new Error(`${path}: ${status} ${body}`)
    }
  })

  afterAll(async () => {
    daemon.kill('SIGKILL')
    await daemon.outcome
    await rm(directory, { recursive: true, force: true })
  })

  async function memoryMib(): Promise<number> {
    const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
  }

  /** Every file that the daemon could have written, with its content; its own log is on stderr. */
  async function listFiles(): Promise<Readonly<Record<string, string>>> {
    const names = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile() && !/-(?:shm|wal)$/.test(entry.name))
    const digests = files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      return [
        path,
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
      ] as const
    })
    return Object.fromEntries(await Promise.all(digests))
  }

  function order(headers: readonly (readonly [string, string])[], body = '{}'): Promise<{ readonly status: number }> {
    return sendRaw(
      port,
      formatRequest('POST', '/api/v1/runs', [['Content-Type', 'application/json'], ...headers], body),
    )
  }

  test(
    `gives ${REQUESTS} mutated requests right answers and keeps its memory and its files`,
    async () => {
      const before = await listFiles()
      const requests = mutateRequests(SEED, REQUESTS)
      const statuses = new Map<number, number>()
      const faults: string[] = []
      const work = async (): Promise<void> => {
        for (const { octets, right } of requests) {
          const answer = await sendRaw(port, octets)
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          const fault = findFault(answer, right)
          if (fault !== undefined) faults.push(`${fault}: ${JSON.stringify(octets.slice(0, 600))}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      expect(faults.slice(0, 5)).toEqual([])
      // The generator makes answers of every kind, so that this test tests something.
      for (const status of [200, 400, 404, 405, 401]) expect(statuses.get(status) ?? 0).toBeGreaterThan(REQUESTS / 500)
      expect(await listFiles()).toEqual(before)
      expect(await memoryMib()).toBeLessThan(MEMORY_MIB_MAX)
      expect(daemon.stderr()).not.toContain('web.request.failed')
    },
    TIMEOUT_MS,
  )

  test.each([
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil.example:8053',
    '127.0.0.1@evil.example',
    '0x7f000001.example',
    '[::2]',
    '10.0.0.1',
    'candor',
    'localhost:99999999',
    'LOCALHOST\u0000',
  ])('answers the host %j with nothing of its own', async (host) => {
    const answer = await sendRaw(port, formatRequest('GET', '/api/v1/exits', [['Host', host]]))
    expect([400, 421]).toContain(answer.status)
    expect(answer.body).not.toContain('exit_fingerprint')
  })

  test('takes no order from guessed tokens, and stops answering guesses', async () => {
    const before = await listFiles()
    const statuses: number[] = []
    for (let guess = 0; guess < 300; guess++) {
      const text = `candor_${guess.toString(36).padStart(43, 'a')}`
      statuses.push((await order([['Authorization', `Bearer ${text}`]])).status)
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(120)
    expect(statuses.at(-1)).toBe(429)
    expect((await order([['X-Candor-Owner', 'true']])).status).toBe(401)
    expect(await listFiles()).toEqual(before)
  })

  test('refuses a huge body before it has come', async () => {
    // The guesses above have used up what one address may try.
    await eventually(async () => (await order([['Authorization', `Bearer ${token}`]], '{')).status === 400, 30_000)
    const right: readonly (readonly [string, string])[] = [
      ['Content-Type', 'application/json'],
      ['Authorization', `Bearer ${token}`],
    ]
    const announced = formatRequest('POST', '/api/v1/runs', [...right, ['Content-Length', '10737418240']])
    expect((await sendRaw(port, announced)).status).toBe(413)
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const endless =
      formatRequest('POST', '/api/v1/runs', [...right, ['Transfer-Encoding', 'chunked']]) + chunk.repeat(40)
    const { status } = await sendRaw(port, endless)
    // 0: what was written when the server had closed already took its answer away.
    expect([413, 0]).toContain(status)
    const unknown = await sendRaw(port, formatRequest('POST', '/api/v1/runs', [['Content-Length', '10737418240']]))
    expect(unknown.status).toBe(401)
    expect(await memoryMib()).toBeLessThan(MEMORY_MIB_MAX)
  })

  test('waits for no slow body and no slow header, and serves others meanwhile', async () => {
    const slowBody = sendRaw(
      port,
      formatRequest('POST', '/api/v1/runs', [
        ['Content-Type', 'application/json'],
        ['Authorization', `Bearer ${token}`],
        ['Content-Length', '1000'],
      ]) + '{',
    )
    const slowHeaders = Promise.all(
      Array.from({ length: 200 }, () => sendRaw(port, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')),
    )
    expect((await sendRaw(port, formatRequest('GET', '/healthz'))).status).toBe(200)
    expect((await slowBody).status).toBe(408)
    expect(new Set((await slowHeaders).map(({ status }) => status))).toEqual(new Set([408]))
  })

  test('opens so many event streams and no more, whatever is asked for', async () => {
    const sockets: Socket[] = []
    const statuses: number[] = []
    const open = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1')
        sockets.push(socket)
        socket.setEncoding('latin1')
        socket.on('error', () => {
          resolve()
        })
        // Only the first octets are read: the rest waits at the server.
        socket.once('data', (text: string) => {
          statuses.push(Number(text.slice(9, 12)))
          socket.pause()
          resolve()
        })
        socket.once('close', () => {
          resolve()
        })
        socket.write('GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      })
    try {
      for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 90 }, open))
      expect(statuses).toHaveLength(1_800)
      expect(statuses.filter((status) => status === 200)).toHaveLength(STREAMS_MAX)
      expect(statuses.filter((status) => status === 503)).toHaveLength(1_800 - STREAMS_MAX)
      expect((await sendRaw(port, formatRequest('GET', '/healthz'))).status).toBe(200)
      expect(await memoryMib()).toBeLessThan(MEMORY_MIB_MAX)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
    const isFree = await eventually(async () => {
      const { body } = await sendRaw(port, formatRequest('GET', '/metrics'))
      return body.includes('candor_event_streams 0\n')
    }, 20_000)
    expect(isFree).toBe(true)
  })

  test('ends in order after all that', async () => {
    daemon.kill('SIGTERM')
    expect((await daemon.outcome).status).toBe(0)
  })
})

/** What is wrong with an answer, whatever was asked; `undefined` when nothing is. */
function findFault({ status, headers, body }: RawAnswer, right: readonly number[]): string | undefined {
  if (!right.includes(status)) return `status ${status}`
  const type = headers.get('content-type')
  if (type === undefined) return undefined
  if (headers.get('x-content-type-options') !== 'nosniff') return 'no nosniff'
  if (!/^default-src 'none'; .*frame-ancestors 'none'$/.test(headers.get('content-security-policy') ?? ''))
    return 'no policy'
  if (headers.has('set-cookie')) return 'a cookie'
  const isProblem = type.startsWith('application/problem+json') && body !== ''
  return isProblem && !body.includes(`"status":${status}`) ? `another status than ${status} in the problem` : undefined
}
