/**
 * Measures what a whole scan costs: import into columns, detect and verify from them in a fresh process, `results.json`, and the
 * same question for DuckDB. Ten thousand rows drawn from the scan are held beside the rules for one row.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { writeSatelliteScan } from './satellite-scan.ts'

const RUN_SECONDS_MAX = 1800
/** The scan, its columns and its results. */
const OCTETS_PER_PAIR = 2500
const ROWS_DRAWN = 10_000

/** What is measured, and with what. */
export interface ScanTask {
  readonly resolvers: number
  readonly domains: number
  /** Gets everything, and loses it in the end. */
  readonly directory: string
  /** The program that measures a child. */
  readonly meter: string
  readonly processors: number
  /** The command. */
  readonly candor: readonly string[]
}

/** What a step cost. */
interface Cost {
  readonly user_seconds: number
  readonly system_seconds: number
  readonly wall_seconds: number
  readonly resident_kibibytes: number
  readonly output: string
}

type Numbers = Readonly<Record<string, number>>

/** Runs all steps. @returns A section of the page; `undefined` when the disk is too small. */
export function measureScan(task: ScanTask): string | undefined {
  const { resolvers, domains, directory } = task
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < resolvers * domains * OCTETS_PER_PAIR) return undefined
  const scan = join(directory, 'scan')
  const imported = join(directory, 'imported')
  const results = join(directory, 'results')
  try {
    mkdirSync(scan)
    writeSatelliteScan(scan, { resolvers, domains, seed: 1, rows: 'results' })
    const octets = [
      'results.json',
      'raw/responses_control.json',
      'raw/tagged_responses.json',
      'raw/tagged_resolvers.json',
    ]
      .map((name) => statSync(join(scan, name)).size)
      .reduce((sum, size) => sum + size, 0)
    // 3: five lines of a million are damaged.
    const importing = measure(
      task,
      'import',
      [...task.candor, 'satellite', 'import', scan, '--output', imported],
      [0, 3],
    )
    const judging = measure(task, 'judge', [...task.candor, 'satellite', 'judge', imported, '--records', 'jsonl'])
    const writing = measure(task, 'judge and write', [
      ...task.candor,
      'satellite',
      'judge',
      imported,
      '--records',
      'jsonl',
      '--results',
      results,
    ])
    const written = JSON.parse(writing.output) as Numbers
    rmSync(results, { recursive: true })
    const check = [
      process.execPath,
      join(import.meta.dirname, 'check-judged-scan.ts'),
      imported,
      String(ROWS_DRAWN),
      '1',
    ]
    const checked = JSON.parse(measure(task, 'check', check).output) as Numbers
    rmSync(imported, { recursive: true })
    const duckdb = (step: string): readonly string[] => [
      process.execPath,
      join(import.meta.dirname, 'duckdb-scan.ts'),
      step,
      scan,
      join(directory, 'pairs.parquet'),
      join(directory, 'verdicts.parquet'),
    ]
    const duckImport = measure(task, 'DuckDB import', duckdb('import'))
    const duckJudge = measure(task, 'DuckDB judge', duckdb('judge'))
    const rows = [
      formatRow('candor: import into columns', importing, octets),
      formatRow('candor: detect and verify, columns to columns', judging),
      formatRow('DuckDB: import into Parquet', duckImport, octets),
      formatRow('DuckDB: detect and verify, Parquet to Parquet', duckJudge),
    ]
    return formatSection({
      octets,
      rows,
      judged: JSON.parse(judging.output) as Numbers,
      written,
      checked,
      duckdb: JSON.parse(duckJudge.output) as Numbers,
      task,
    })
  } finally {
    for (const name of ['scan', 'imported', 'results', 'pairs.parquet', 'verdicts.parquet', 'spill'])
      rmSync(join(directory, name), { recursive: true, force: true })
  }
}

function measure(task: ScanTask, label: string, command: readonly string[], statuses: readonly number[] = [0]): Cost {
  const report = join(task.directory, 'report')
  const stdout = join(task.directory, 'stdout')
  const output = openSync(stdout, 'w')
  const processors = Array.from({ length: task.processors }, (_, processor) => processor).join(',')
  const { status } = spawnSync(task.meter, [report, processors, String(RUN_SECONDS_MAX), ...command], {
    stdio: ['ignore', output, 'inherit'],
  })
  closeSync(output)
  if (status !== 0) throw new Error(`${label} was not measured: status ${status}`)
  const cost = JSON.parse(readFileSync(report, 'utf8')) as Omit<Cost, 'output'> & { readonly status: number }
  if (!statuses.includes(cost.status)) throw new Error(`${label} ended with status ${cost.status}`)
  process.stderr.write(
    `bench: ${label}: ${cost.wall_seconds.toFixed(1)} s, ${Math.round(cost.resident_kibibytes / 1024)} MB\n`,
  )
  return { ...cost, output: readFileSync(stdout, 'utf8').trim() }
}

function formatRow(label: string, cost: Cost, octets?: number): string {
  const cells = [
    label,
    cost.wall_seconds.toFixed(1),
    (cost.user_seconds + cost.system_seconds).toFixed(1),
    octets === undefined ? '–' : Math.round(octets / 1e6 / cost.wall_seconds),
    Math.round(cost.resident_kibibytes / 1024),
  ]
  return `| ${cells.join(' | ')} |`
}

interface Section {
  readonly octets: number
  readonly rows: readonly string[]
  readonly judged: Numbers
  readonly written: Numbers
  readonly checked: Numbers
  readonly duckdb: Numbers
  readonly task: ScanTask
}

/** What the section begins with; the one that is there already is found by it. */
export const SCAN_HEADING = '## A whole scan'

function formatSection({ octets, rows, judged, written, checked, duckdb, task }: Section): string {
  const count = (value: number | undefined): string => (value ?? 0).toLocaleString('en')
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  }).trim()
  return `${SCAN_HEADING}

Written by \`npm run bench -- --scan ${task.resolvers}x${task.domains}\`; what is measured: \`docs/design/0015-satellite-columns.md\`. Candor at
commit ${commit}. A generated scan of v2.2: ${count(task.resolvers)} resolvers × ${count(task.domains)} names = ${count(task.resolvers * task.domains)} pairs in a drawn order, 0 to 8
answers, ${(octets / 1e9).toFixed(1)} GB of JSON Lines on the disk. Load at the end, this benchmark included (1, 5 and 15 minutes): ${loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')}, on ${task.processors} processors.

| step, in a process of its own | wall s | CPU s | MB/s | peak MB |
|---|---|---|---|---|
${rows.join('\n')}

- Import checks every field, puts aside damaged lines and keeps unknown fields; DuckDB takes what its question needs and passes
  over damaged lines.
- Writing \`results.json\` from the verdicts: ${(written['results_seconds'] ?? 0).toFixed(1)} s more.
- Candor: ${count(judged['judged'])} judged, ${count(judged['anomalies'])} anomalies, ${count(judged['excluded'])} excluded. DuckDB: ${count(duckdb['judged'])}, ${count(duckdb['anomalies'])} and ${count(duckdb['excluded'])}.
- ${count(checked['drawn'])} rows drawn at random, every verdict column held beside the rules for one row: ${count(checked['different'])} different.
`
}
