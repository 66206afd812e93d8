/** Writes what was measured as the page RESULTS.md: medians, ratios and the machine that they hold for. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { BASELINE } from './clients.ts'
import { DOH_CLIENTS, type DohClientName, type DohCosts } from './measure-doh.ts'

const DOH_LABELS: Readonly<Record<DohClientName, string>> = {
  candor: 'Candor, own HTTP/2',
  http2: 'node:http2, one session',
  fetch: 'fetch (undici, HTTP/1.1)',
}

/** One run of one client. */
export interface ClientRun {
  readonly label: string
  /** Names that were answered, by the client's own output. */
  readonly completed: number
  /** Queries that the responder received. */
  readonly queries: number
  /** Queries that the kernel dropped before the responder. */
  readonly drops: number
  readonly user_seconds: number
  readonly system_seconds: number
  readonly wall_seconds: number
  /** Peak memory. */
  readonly resident_kibibytes: number
  readonly status: number
}

/** A run whose memory is what counts. */
export interface MemoryRun extends ClientRun {
  readonly names: number
}

/** All that was measured. */
export interface Results {
  readonly names: number
  readonly runs: readonly ClientRun[]
  readonly memory: readonly MemoryRun[]
  /** Programs that could not be measured because they are not there. */
  readonly absent: readonly string[]
  readonly dohQueries: number
  readonly doh: DohCosts | undefined
}

/** The page. */
export function formatResults({ names, runs, memory, absent, dohQueries, doh }: Results): string {
  const labels = [...new Set(runs.map(({ label }) => label))]
  const rounds = runs.filter(({ label }) => label === labels[0]).length
  const baseline = costOf(runs.filter(({ label }) => label === BASELINE))
  const rows = labels.map((label) => formatRow(label, runs, baseline))
  return `# What a query costs

Written by \`npm run bench\`; how it measures, and what the numbers mean: \`docs/design/0005-measuring.md\`.

- Date: ${new Date().toISOString().slice(0, 10)}; Candor at commit ${capture('git', ['rev-parse', '--short', 'HEAD'])}
- Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB
- Kernel: Linux ${release()}; Node ${process.versions.node}; ${capture('gcc', ['--version'])}
- Load at the end, this benchmark included (1, 5 and 15 minutes): ${loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')}
- Peers: ${formatPeers(labels, absent)}
- ${names.toLocaleString('en')} unique names, type A, over loopback; medians of ${rounds} interleaved rounds

| client | CPU s per million | of them user | ratio to dnsperf (least – most) | completed | queries | dropped | wall s | peak MB |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

CPU seconds are user and system time of the client with all its threads, per million completed names. *Queries* is what the
responder received, *dropped* what the kernel dropped before it. The ratio of a round is to the baseline of the same round.
*Floor* sends and receives in batches and parses nothing: what the kernel alone costs. *Uncut*: the responder takes a run as
it was sent, and the kernel does not cut it on the way (see the page above).
${memory.length === 0 ? '' : `\n${formatMemory(memory)}`}${doh === undefined ? '' : `\n${formatDoh(doh, dohQueries)}`}`
}

function formatRow(label: string, runs: readonly ClientRun[], baseline: readonly number[]): string {
  const own = runs.filter((run) => run.label === label)
  const ratios = costOf(own).map((cost, round) => cost / (baseline[round] ?? Number.NaN))
  const cells = [
    median(costOf(own)).toFixed(2),
    median(own.map((run) => (run.user_seconds / run.completed) * 1e6)).toFixed(2),
    baseline.length === 0
      ? 'no dnsperf'
      : `**${median(ratios).toFixed(2)}** (${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)})`,
    ...(['completed', 'queries', 'drops'] as const).map((field) =>
      Math.round(median(own.map((run) => run[field]))).toLocaleString('en'),
    ),
    median(own.map((run) => run.wall_seconds)).toFixed(2),
    median(own.map((run) => run.resident_kibibytes / 1000)).toFixed(0),
  ]
  return `| ${label} | ${cells.join(' | ')} |`
}

function formatMemory(memory: readonly MemoryRun[]): string {
  const rows = memory.map(
    ({ label, names, completed, resident_kibibytes }) =>
      `| ${label} | ${names.toLocaleString('en')} | ${completed.toLocaleString('en')} | ${(resident_kibibytes / 1000).toFixed(0)} |`,
  )
  return `## Memory\n\n| client | names | completed | peak MB |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

function formatDoh(doh: DohCosts, queries: number): string {
  const rows = DOH_CLIENTS.map((name) => {
    const ratios = doh[name].map((cost, round) => cost / (doh.http2[round] as number))
    const cost = (median(doh[name]) / queries) * 1e4
    return `| ${DOH_LABELS[name]} | ${cost.toFixed(2)} | ${median(ratios).toFixed(2)} |`
  })
  return `## Over HTTPS

${queries.toLocaleString('en')} queries, 100 in flight, one server on loopback, without start and handshake; the server is a process of its own.

| client | CPU s per 10,000 | ratio to node:http2 |
|---|---|---|
${rows.join('\n')}
`
}

function costOf(runs: readonly ClientRun[]): readonly number[] {
  return runs.map((run) => ((run.user_seconds + run.system_seconds) / run.completed) * 1e6)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

function formatPeers(labels: readonly string[], absent: readonly string[]): string {
  const present = labels.includes(BASELINE) ? [`dnsperf ${findDnsperfVersion()}`] : []
  const others = ['massdns', 'zdns'].filter((name) => labels.some((label) => label.startsWith(name)))
  const missing = absent.map((name) => `${name} not installed`)
  return [...present, ...others, ...missing].join(', ')
}

function findDnsperfVersion(): string {
  const { stdout, stderr } = spawnSync('dnsperf', ['-h'], { encoding: 'utf8' })
  return /Version (\S+)/.exec(stdout + stderr)?.[1] ?? 'of unknown version'
}

function capture(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', cwd: import.meta.dirname }).split('\n')[0] ?? ''
}
