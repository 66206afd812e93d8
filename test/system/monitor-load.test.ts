/**
 * 300 names × 5 types a minute in a daemon, over three resolvers that count what they are asked: processor, memory, disk,
 * and the budget of each resolver.
 *
 * An hour with `npm run test:full`; `CANDOR_LOAD_SECONDS` says another length.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DnsMessage } from '../../src/dns/message.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { parseRrType } from '../../src/dns/rr-type.ts'
import { serveDns, type DnsServer } from '../../src/lab/serve-dns.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { findDaemon } from '../../src/cli/daemon-client.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { ask } from './serve-run.ts'
import { startCandor, type RunningCommand } from './laboratory-run.ts'

const SECONDS = Number(process.env['CANDOR_LOAD_SECONDS'] ?? (process.env['CANDOR_TEST_FULL'] === '1' ? '3600' : '0'))
const NAMES = 300
const TYPES = ['A', 'AAAA', 'MX', 'TXT', 'NS']
/** Of each resolver, questions a second. */
const BUDGET = 40
/** The first minutes fill caches and profiles, and are no part of an hour. */
const WARM_SECONDS = Math.min(120, SECONDS / 4)
/** A budget is looked at over so many seconds. */
const WINDOW_SECONDS = 10
const TICKS_PER_SECOND = 100

/** A resolver that counts its queries by second. A third of the names rotate, a third differ by resolver. */
async function startCounting(
  index: number,
): Promise<{ readonly server: DnsServer; readonly counts: Map<number, number> }> {
  const counts = new Map<number, number>()
  const server = await serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, (query) => {
    const second = Math.floor(performance.now() / 1_000)
    counts.set(second, (counts.get(second) ?? 0) + 1)
    return Promise.resolve(reply(query, index, second))
  })
  return { server, counts }
}

function reply(query: DnsMessage, resolver: number, second: number): DnsMessage {
  const [question] = query.questions
  if (question === undefined) throw new Error('a query without question')
  const header = { ...query.header, response: true, recursionAvailable: true, authenticData: false }
  const label = new TextDecoder().decode(question.name[0])
  const number = Number(label.replace(/\D/g, ''))
  const turn = number % 3 === 0 ? 0 : number % 3 === 1 ? Math.floor(second / 7) % 16 : resolver
  const addresses = [0, 1, 2, 3].map((at) => `8.8.${number % 256}.${((turn + at) % 16) + 1}`)
  const base = { name: question.name, type: question.type, class: 1, ttl: 60 }
  return { ...query, header, answers: rdataOf(question, addresses).map((rdata) => ({ ...base, rdata })) }
}

function rdataOf({ type, name }: DnsMessage['questions'][number], addresses: readonly string[]): readonly Rdata[] {
  const octets = new TextEncoder().encode('v=spf1 -all')
  if (type === parseRrType('A')) return addresses.map((address) => ({ kind: 'a', address }))
  if (type === parseRrType('AAAA'))
    return addresses.map((address) => ({ kind: 'aaaa', address: `2606:4700::${address.replaceAll('.', ':')}` }))
  if (type === parseRrType('MX')) return [10, 20].map((preference) => ({ kind: 'mx', preference, exchange: name }))
  if (type === parseRrType('NS')) return [{ kind: 'ns', name: name.slice(1) }]
  return [{ kind: 'txt', strings: [octets] }]
}

/** Seconds of processor that a process has used. */
function readCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function readPeakMib(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(line) / 1_024
}

if (SECONDS === 0) process.stderr.write('skipped: an hour of 1,500 names and types (CANDOR_LOAD_SECONDS=600)\n')

describe.skipIf(SECONDS === 0)('a daemon that watches 300 names with 5 types', () => {
  const directory = mkdtempSync(join(tmpdir(), 'candor-load-'))
  let resolvers: readonly Awaited<ReturnType<typeof startCounting>>[]
  let daemon: RunningCommand

  beforeAll(async () => {
    resolvers = await Promise.all([0, 1, 2].map(startCounting))
    const tables = resolvers.map(
      ({ server }, index) =>
        `[[resolvers]]\nname = "r${index}"\nurl = "udp://127.0.0.1:${server.endpoint.port}"\nper_second = ${BUDGET}\n`,
    )
    const domains = Array.from(
      { length: NAMES },
      (_, index) => `[[domains]]\ndomain = "n${index}.zone.example"\nrecord_type = ${JSON.stringify(TYPES)}\n`,
    )
    writeFileSync(join(directory, 'dns-monitor.toml'), `roots = "none"\n${tables.join('')}${domains.join('')}`)
    const config = `data_dir = "${directory}/data"\n[serve]\nport = 0\n[schedule]\nexits = "never"\n[monitor]\ninclude = "dns-monitor.toml"\n`
    writeFileSync(join(directory, 'candor.toml'), config)
    daemon = startCandor(['serve', '--config', join(directory, 'candor.toml')], {})
  })

  afterAll(async () => {
    daemon.kill('SIGTERM')
    await daemon.outcome
    await Promise.all(resolvers.map(({ server }) => server.close()))
    rmSync(directory, { recursive: true, force: true })
  })

  test(
    'takes a tenth of a core, 250 MB and 150 MB a day, and stays within budgets',
    async () => {
      const { pid } = daemon
      await pause(WARM_SECONDS)
      const [cpuStart, sizeStart] = [readCpuSeconds(pid), await readUsedOctets(directory)]
      const asked = (): number =>
        resolvers.reduce((sum, { counts }) => sum + [...counts.values()].reduce((a, b) => a + b, 0), 0)
      const askedStart = asked()
      const seconds = SECONDS - WARM_SECONDS
      await pause(seconds)
      const cpuShare = (readCpuSeconds(pid) - cpuStart) / seconds
      const octetsPerDay = (((await readUsedOctets(directory)) - sizeStart) / seconds) * 86_400
      const fileOctets = sizeOf(directory)
      const perSecond = (asked() - askedStart) / seconds
      const busiest = Math.max(...resolvers.map(({ counts }) => busiestOf(counts, 1)))
      const steadily = Math.max(...resolvers.map(({ counts }) => busiestOf(counts, WINDOW_SECONDS))) / WINDOW_SECONDS
      const peakMib = readPeakMib(pid)
      process.stderr.write(
        `load: ${(cpuShare * 100).toFixed(1)} % of a core, ${peakMib.toFixed(0)} MiB at most, ${(octetsPerDay / 1e6).toFixed(0)} MB a day, ${(fileOctets / 1e6).toFixed(1)} MB now, ` +
          `${perSecond.toFixed(1)} questions a second, ${busiest} in the busiest second of a resolver, ${steadily.toFixed(1)} a second in its busiest ten\n`,
      )
      // All were asked each minute.
      expect(perSecond).toBeGreaterThan(0.9 * ((NAMES * TYPES.length * 3) / 60))
      expect(steadily).toBeLessThanOrEqual(BUDGET)
      // What this machine held up for a moment is counted in the next second.
      expect(busiest).toBeLessThanOrEqual(BUDGET * 1.1)
      expect(peakMib).toBeLessThanOrEqual(250)
      expect(octetsPerDay).toBeLessThanOrEqual(150e6)
      expect(cpuShare).toBeLessThanOrEqual(0.1)
    },
    (SECONDS + 120) * 1_000,
  )
})

/** What the daemon says that its database holds: the log of it is written over again and again, and grows no more. */
async function readUsedOctets(directory: string): Promise<number> {
  const client = await findDaemon(nodeFiles, join(directory, 'data'))
  if (client === undefined) throw new Error('the daemon does not answer')
  const { summary } = await ask<{ readonly summary: { readonly used_octets: number } }>(
    client,
    '/api/v1/monitors?limit=1',
  )
  return summary.used_octets
}

/** The most questions of any seconds in a row. */
function busiestOf(counts: ReadonlyMap<number, number>, seconds: number): number {
  const sums = [...counts.keys()].map((from) => {
    let sum = 0
    for (let second = from; second < from + seconds; second++) sum += counts.get(second) ?? 0
    return sum
  })
  return Math.max(0, ...sums)
}

/** Of the database with what is still in its log. */
function sizeOf(directory: string): number {
  const path = join(directory, 'data/monitor/monitor.db')
  return [path, `${path}-wal`].reduce((sum, each) => sum + (statSync(each, { throwIfNoEntry: false })?.size ?? 0), 0)
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1_000)
  })
}
