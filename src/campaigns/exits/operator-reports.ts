/**
 * One report for each operator who has failing relays: what was seen, with the evidence, and what to look at.
 *
 * **Invariant**: a relay without a failing DNS verdict stands in no report; an invalid run makes none. What operators
 * wrote about themselves is text, in the report and in the name of its file.
 */
import { joinPath, type Files } from '../../core/files.ts'
import type { ExitAttempt, ExitReport, ExitResult } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import { formatCell, formatTable } from './markdown-text.ts'

const REPORT_MODE = 0o644
const DIRECTORY_MODE = 0o755
const OPERATORS_MAX = 5_000
const ATTEMPTS_MAX = 12
const SLUG_CHARS_MAX = 80

/** What an operator can look at, by failure. */
const ADVICE: Readonly<Record<string, string>> = {
  wrong_ip:
    'The resolver gives an address that our zone does not have. Look for a resolver that rewrites answers (a provider’s search page, a filter, parental control) and use one of your own, for example unbound on the same host.',
  dns_fail:
    'The resolver answers with an error. Look at its log for our names, and at whether it can reach the Internet over UDP and TCP on port 53.',
  timeout:
    'The resolver does not answer in time. Tor asks the servers in /etc/resolv.conf, or in ServerDNSResolvConfFile; look at whether they are reachable and not overloaded.',
}

/** @returns The name of a file → its text, for every operator with failing relays; at most 5,000. */
export function composeOperatorReports(report: ExitReport): ReadonlyMap<string, string> {
  if (report.metadata.invalid !== null) return new Map()
  const byOperator = new Map<string, ExitResult[]>()
  for (const result of report.results.filter(isFailing)) {
    if (result.operator === null) continue
    const group = byOperator.get(result.operator)
    if (group === undefined) byOperator.set(result.operator, [result])
    else group.push(result)
  }
  const entries = [...byOperator].slice(0, OPERATORS_MAX)
  return new Map(entries.map(([operator, results]) => [nameFile(operator), format(operator, results, report)]))
}

/**
 * Writes the reports of a run into a directory, and removes those of operators whose relays work again.
 *
 * @returns How many there are.
 * @throws {FileError}
 */
export async function writeOperatorReports(files: Files, directory: string, report: ExitReport): Promise<number> {
  const reports = composeOperatorReports(report)
  // An invalid run says nothing, so what was true before stays.
  if (report.metadata.invalid !== null) return 0
  await files.makeDirectory(directory, DIRECTORY_MODE)
  for (const [name, text] of reports) await files.writeAtomic(joinPath(directory, name), text, REPORT_MODE)
  for (const name of await files.list(directory)) {
    if (/^operator_.*\.md$/.test(name) && !reports.has(name)) await files.remove(joinPath(directory, name))
  }
  return reports.size
}

function isFailing({ status }: ExitResult): boolean {
  return isDnsVerdict(status) && status !== 'success'
}

/** Letters, digits, `.`, `-`, `_` and `@` stay; where others were, a check sum tells names apart. */
function nameFile(operator: string): string {
  const slug = operator
    .toLowerCase()
    .replaceAll(/[^a-z\d.@_-]/g, '_')
    .slice(0, SLUG_CHARS_MAX)
  return slug === operator ? `operator_${slug}.md` : `operator_${slug}_${checkSum(operator)}.md`
}

/** FNV-1a of 32 bits. */
function checkSum(text: string): string {
  let hash = 0x811c9dc5
  for (const octet of new TextEncoder().encode(text)) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

function format(operator: string, results: readonly ExitResult[], { metadata }: ExitReport): string {
  const statuses = [...new Set(results.map(({ status }) => status))]
  const relays = results.length === 1 ? 'relay' : 'relays'
  return [
    `# DNS at exits of ${formatCell(operator)}`,
    `${results.length} ${relays} could not resolve names of our test zone in the run of ${formatCell(metadata.timestamp)}. Every failure below was seen through several circuits; the names are unique, so that they can be found in the log of the resolver.`,
    formatTable(
      ['Relay', 'Fingerprint', 'Exit address', 'Failure', 'In a row', 'Since'],
      results.map((result) => [
        formatCell(result.exit_nickname),
        `[${formatCell(result.exit_fingerprint)}](https://metrics.torproject.org/rs.html#details/${encodeURIComponent(result.exit_fingerprint)})`,
        formatCell(result.exit_address),
        formatCell(result.error_code === null ? result.status : `${result.status} (${result.error_code})`),
        formatCell(result.consecutive_failures),
        formatCell(result.first_seen),
      ]),
      new Set(['In a row']),
    ),
    '## What to look at',
    statuses.map((status) => `- \`${status}\`: ${ADVICE[status] ?? 'See the evidence.'}`).join('\n'),
    '## Evidence',
    ...results.map(formatEvidence),
  ]
    .join('\n\n')
    .concat('\n')
}

function formatEvidence({ exit_nickname: name, attempts, resolver }: ExitResult): string {
  const rows = attempts.slice(0, ATTEMPTS_MAX).map((attempt) => formatAttempt(attempt))
  const asked =
    resolver === null || resolver.addresses.length === 0
      ? ''
      : ` Its resolver asked from ${resolver.addresses
          .slice(0, 5)
          .map((address) => formatCell(address))
          .join(', ')}.`
  if (rows.length === 0) return `**${formatCell(name)}**: the report holds no attempts.${asked}`
  return `**${formatCell(name)}**.${asked}\n\n${formatTable(['Time (Unix)', 'Asked', 'Name', 'Answer'], rows)}`
}

function formatAttempt({
  timestamp,
  query_type: type,
  query_domain: name,
  addresses,
  status,
  error_code: code,
}: ExitAttempt): readonly string[] {
  const answer = addresses.length > 0 ? addresses.join(' ') : status
  return [
    formatCell(timestamp),
    type,
    formatCell(name, 300),
    formatCell(code === null ? answer : `${answer} (${code})`),
  ]
}
