/**
 * The report of a run for people: headings and columns of the plan first, ours after.
 *
 * **Invariant**: every share stands beside what it is a share of; a relay without a DNS verdict is never among the
 * failing ones; an invalid run lists nobody.
 *
 * Format: docs/formats/exits.md
 */
import type { ExitMetadata, ExitReport, ExitResult } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import { formatResolverShares } from './authority-shares.ts'
import { formatCell, formatTable } from './markdown-text.ts'

/** Rows of one table; all of them are in the JSON beside. */
const ROWS_MAX = 1000
const GROUPS_MAX = 20
const NUMBERS = new Set(['Value', 'Consecutive Failures', 'Relays', 'Failing'])

/** What the report is compared with. */
export interface MarkdownReportOptions {
  /** The report of an earlier run; `null` leaves the comparison out. */
  readonly previous: ExitReport | null
}

/** Formats the report. */
export function formatMarkdownReport(report: ExitReport, { previous }: MarkdownReportOptions): string {
  const { metadata, results } = report
  const failing = results.filter((result) => isFailing(result)).toSorted(compareFailing)
  const unreached = results.filter((result) => result.status !== 'success' && !isFailing(result))
  const sections = [
    `# DNS Health Report\n\n**Generated**: ${formatCell(metadata.timestamp)}`,
    formatInvalid(metadata),
    `## Summary\n\n${formatSentence(metadata)}\n\n${formatSummary(metadata)}`,
    ...(metadata.invalid === null
      ? [
          formatFailing(failing),
          formatWrongAnswers(failing),
          formatElsewhere(results),
          formatInconsistent(results),
          formatIpv6(results),
          formatResolverShares(results),
          formatGroups('Failing Relays by Exit Address', failing, (result) => result.exit_address, 2),
          formatGroups('Failing Relays by Operator', failing, (result) => result.operator, 2),
          formatGroups('Failing Relays by AS', failing, (result) => result.as, 2),
          previous === null ? '' : formatChanges(results, previous),
        ]
      : []),
    formatUnreached(unreached),
    formatRun(metadata),
    HOW_TO_READ,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

const HOW_TO_READ = `## How to Read This

- **Sound for our zone**: success means that the exit resolved a name of our zone rightly. An exit can do so and lie about other names.
- **DNS tested** are the relays with a DNS verdict: success, wrong IP, DNS failure or timeout. The success rate is a share of these. Relays that could not be reached say nothing about DNS and count neither way.
- **Consecutive failures** are DNS verdicts in a row, over runs, that were no success. Runs in which the relay was not reached do not change them.
- \`unconfirmed\`: seen through one circuit only. \`inconsistent\`: not every circuit agreed. \`unsure\`: timing was too poor for a strict class. \`suspected\`: found without a zone of our own.`

function isFailing(result: ExitResult): boolean {
  return isDnsVerdict(result.status) && result.status !== 'success'
}

/** Longest failing first, then by what accuses more, then by fingerprint. */
function compareFailing(a: ExitResult, b: ExitResult): number {
  const rank = (result: ExitResult): number => ['wrong_ip', 'dns_fail', 'timeout'].indexOf(result.status)
  if (a.consecutive_failures !== b.consecutive_failures) return b.consecutive_failures - a.consecutive_failures
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  return a.exit_fingerprint < b.exit_fingerprint ? -1 : 1
}

function formatInvalid({ invalid, interrupted, not_tested }: ExitMetadata): string {
  if (invalid !== null) {
    return `> **This run is invalid and accuses nobody.** ${formatCell(invalid, 1000)}. Its results are in the JSON beside this report.`
  }
  if (interrupted) return `> **This run was interrupted**: ${count(not_tested, 'relay was', 'relays were')} not tested.`
  return ''
}

function formatSentence(metadata: ExitMetadata): string {
  const { dns_tested: tested, candidates, success, not_tested: notTested } = metadata
  const unreachable = metadata.circuit_fail + metadata.error + metadata.exception
  const parts = [
    `${tested} of ${count(candidates, 'exit', 'exits')} have a DNS verdict: ${success} sound, ${tested - success} failing`,
    `${unreachable} without a verdict are not counted`,
    ...(notTested > 0 ? [`${notTested} ${notTested === 1 ? 'was' : 'were'} not tested`] : []),
  ]
  return `${parts.join('; ')}.`
}

function formatSummary(metadata: ExitMetadata): string {
  const { timing } = metadata
  const ms = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`)
  return formatTable(
    ['Metric', 'Value'],
    [
      ['Total Relays', String(metadata.total_relays)],
      ['Success', String(metadata.success)],
      ['DNS Failures', String(metadata.dns_fail)],
      ['Wrong IP', String(metadata.wrong_ip)],
      ['Timeouts', String(metadata.timeout)],
      ['Errors', String(metadata.error)],
      ['**Success Rate**', `**${percent(metadata.success_rate_percent)}**`],
      ['Success Rate of All', percent(metadata.success_rate_percent_all)],
      ['Reachability Rate', percent(metadata.reachability_rate_percent)],
      ['DNS Tested', String(metadata.dns_tested)],
      ['Circuit Failures', String(metadata.circuit_fail)],
      ['Exceptions', String(metadata.exception)],
      ['Not Tested', String(metadata.not_tested)],
      ['Candidates', String(metadata.candidates)],
      ['Unsure', String(metadata.unsure)],
      ['Answer Time (median / 95 % / 99 %)', `${ms(timing.p50)} / ${ms(timing.p95)} / ${ms(timing.p99)}`],
    ],
    NUMBERS,
  )
}

function formatFailing(failing: readonly ExitResult[]): string {
  const title = `## Failing Relays (${failing.length})`
  if (failing.length === 0) return `${title}\n\nNone.`
  const columns = ['Status', 'Consecutive Failures', 'Code', 'Flags', 'Country', 'AS', 'Resolver', 'Operator']
  const table = formatRelays(failing, columns, (result) => [
    result.status,
    String(result.consecutive_failures),
    formatCell(result.error_code),
    formatCell(result.flags.join(', ')),
    formatCell(result.country),
    formatCell(result.as, 40),
    formatCell(result.resolver?.addresses.join(', ') ?? null),
    formatCell(result.operator, 60),
  ])
  return `${title}\n\n${table}`
}

function formatWrongAnswers(failing: readonly ExitResult[]): string {
  const wrong = failing.filter((result) => result.status === 'wrong_ip')
  if (wrong.length === 0) return ''
  const table = formatRelays(wrong, ['Expected', 'Got', 'Where', 'Asked For'], (result) => [
    formatCell(result.expected_ip),
    formatCell(result.resolved_ip),
    result.resolver === null ? 'no log' : (result.resolver.wrong_answer ?? '–'),
    formatCell(result.query_domain, 253),
  ])
  return `## Wrong Answers (${wrong.length})\n\n*Poisoned*: our authority was asked and another answer came back. *Rewritten*: it was never asked.\n\n${table}`
}

function formatElsewhere(results: readonly ExitResult[]): string {
  const lying = results.filter((result) => result.status === 'success' && result.flags.includes('decoy_mismatch'))
  if (lying.length === 0) return ''
  const table = formatRelays(lying, ['Asked For', 'Got'], (result) => {
    const wrong = result.attempts.find((attempt) => attempt.status === 'wrong_ip')
    return [formatCell(wrong?.query_domain ?? null, 253), formatCell(wrong?.addresses.join(', ') ?? null)]
  })
  return `## Sound for Our Zone, Not for a Decoy (${lying.length})\n\nA decoy is a name of somebody else whose right addresses are known. Answers may differ from place to place; look before you accuse.\n\n${table}`
}

function formatInconsistent(results: readonly ExitResult[]): string {
  const sound = results.filter((result) => result.status === 'success' && result.flags.includes('inconsistent'))
  if (sound.length === 0) return ''
  const table = formatRelays(sound, ['Attempts'], (result) => [
    formatCell(
      result.attempts.map((attempt) => `${attempt.query_type} ${attempt.error_code ?? attempt.status}`).join(', '),
    ),
  ])
  return `## Sound, but Not Every Time (${sound.length})\n\n${table}`
}

function formatIpv6(results: readonly ExitResult[]): string {
  const asked = results.filter((result) => result.status_ipv6 !== null && isDnsVerdict(result.status_ipv6))
  if (asked.length === 0) return ''
  const failing = asked.filter((result) => result.status_ipv6 !== 'success')
  const right = asked.length - failing.length
  const summary = `${right} of ${count(asked.length, 'relay', 'relays')} asked for AAAA answered rightly.`
  if (failing.length === 0) return `## IPv6\n\n${summary}`
  const table = formatRelays(failing, ['AAAA Status', 'Consecutive Failures', 'Got'], (result) => [
    result.status_ipv6 ?? '',
    String(result.consecutive_failures_ipv6),
    formatCell(result.resolved_ipv6),
  ])
  return `## IPv6\n\n${summary}\n\n${table}`
}

function formatGroups(
  title: string,
  failing: readonly ExitResult[],
  keyOf: (result: ExitResult) => string | null,
  sizeMin: number,
): string {
  const groups = [...Map.groupBy(failing, keyOf)]
    .filter(([key, group]) => key !== null && group.length >= sizeMin)
    .toSorted(([, a], [, b]) => b.length - a.length)
  if (groups.length === 0) return ''
  const rows = groups
    .slice(0, GROUPS_MAX)
    .map(([key, group]) => [
      formatCell(key, 60),
      String(group.length),
      formatCell([...new Set(group.map((result) => result.error_code ?? result.status))].join(', ')),
    ])
  const more = groups.length > GROUPS_MAX ? `\n\n${groups.length - GROUPS_MAX} smaller groups are not shown.` : ''
  return `## ${title}\n\n${formatTable(['Group', 'Failing', 'Codes'], rows, NUMBERS)}${more}`
}

function formatChanges(results: readonly ExitResult[], previous: ExitReport): string {
  const before = new Map(previous.results.map((result) => [result.exit_fingerprint, result]))
  const changed = results.filter((result) => {
    const earlier = before.get(result.exit_fingerprint)
    if (earlier === undefined || !isDnsVerdict(earlier.status) || !isDnsVerdict(result.status)) return false
    return isFailing(earlier) !== isFailing(result)
  })
  const title = `## Changes Since ${formatCell(previous.metadata.timestamp)}`
  const note = previous.metadata.invalid === null ? '' : ' That run was invalid.'
  if (changed.length === 0) return `${title}\n\nNo relay began to fail or recovered.${note}`
  const table = formatRelays(changed, ['Before', 'Now'], (result) => [
    before.get(result.exit_fingerprint)?.status ?? '',
    result.status,
  ])
  return `${title}\n\n${count(changed.length, 'relay', 'relays')} began to fail or recovered.${note}\n\n${table}`
}

function formatUnreached(unreached: readonly ExitResult[]): string {
  if (unreached.length === 0) return ''
  const rows = [...Map.groupBy(unreached, (result) => `${result.status}/${result.error_code ?? ''}`).values()]
    .toSorted((a, b) => b.length - a.length)
    .map((group) => [group[0]?.status ?? '', formatCell(group[0]?.error_code ?? null), String(group.length)])
  const table = formatTable(['Status', 'Code', 'Relays'], rows.slice(0, ROWS_MAX), NUMBERS)
  return `## Relays Without a DNS Verdict (${unreached.length})\n\nThey were not reached, or not tested; nothing follows about their DNS.\n\n${table}`
}

function formatRun(metadata: ExitMetadata): string {
  const rows = [
    ['Run', metadata.run_id],
    ['Shard', metadata.shard],
    [
      'Mode',
      metadata.mode === metadata.mode_requested
        ? metadata.mode
        : `${metadata.mode} (${metadata.mode_requested} was asked for)`,
    ],
    ['Zone', metadata.domain],
    ['Expected', metadata.expect.join(', ')],
    ['Started', metadata.started_at],
    ['Took', `${Math.round(metadata.duration_ms / 1000)} s`],
    ['Consensus', metadata.consensus_valid_after],
    ['Profile', metadata.profile],
    ['Seed', metadata.seed],
    ['Tor', metadata.tor_version],
    ['Circuits', `${metadata.circuits_built} built, ${metadata.circuits_failed} failed`],
    ['Queries', metadata.queries],
    ['First Hops', metadata.first_hops],
    ['Conditions Relaxed', metadata.first_hops_relaxed.join(', ')],
    ['Limited by Our Authority', metadata.authority_limited],
    ['Absent', metadata.absent.join(', ')],
    ['Notes', metadata.notes.join('; ')],
  ] as const
  return `## The Run\n\n${formatTable(
    ['Fact', 'Value'],
    rows.map(([name, value]) => [name, formatCell(value, 500)]),
  )}`
}

/** A table of relays: the plan's first three columns, those given, and a link. */
function formatRelays(
  results: readonly ExitResult[],
  columns: readonly string[],
  cellsOf: (result: ExitResult) => readonly string[],
): string {
  const rows = results.slice(0, ROWS_MAX).map((result) => {
    const identity = [
      `\`${result.exit_fingerprint.slice(0, 16)}...\``,
      formatCell(result.exit_nickname, 19),
      formatCell(result.exit_address, 45),
    ]
    const link = `[metrics](https://metrics.torproject.org/rs.html#details/${result.exit_fingerprint})`
    return identity.concat(cellsOf(result), link)
  })
  const table = formatTable(['Fingerprint', 'Nickname', 'Exit IP', ...columns, 'Relay'], rows, NUMBERS)
  const more = results.length - ROWS_MAX
  return more > 0 ? `${table}\n\n${more} more are in the JSON beside this report.` : table
}

function percent(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(1)}%`
}

function count(value: number, one: string, many: string): string {
  return `${value} ${value === 1 ? one : many}`
}
