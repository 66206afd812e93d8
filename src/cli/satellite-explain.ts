/** `candor satellite explain`: one pair of a resolver and a name, with everything that its judgement rests on. */
import type { Command } from 'commander'
import { formatRow } from '../campaigns/satellite/format-row.ts'
import { createScanJudge, type ScanJudge } from '../campaigns/satellite/judge-scan.ts'
import { readPackets } from '../campaigns/satellite/read-evidence.ts'
import type { ScanFacts } from '../campaigns/satellite/scan-facts.ts'
import { isRole } from '../campaigns/satellite/scan-file-names.ts'
import { cleanLine } from '../alerts/plain-text.ts'
import { RunError } from '../core/config-error.ts'
import type { SatelliteQueryPackets } from '../model/satellite-evidence.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import { OUTCOME_TEXT } from '../model/satellite-outcome-text.ts'
import type { SatelliteAnswer, SatelliteRow } from '../model/satellite-row.ts'
import type { ControlSet } from '../verdicts/satellite-control.ts'
import { answerConfidence, judgePair } from '../verdicts/satellite-detect.ts'
import type { CliContext } from './cli-context.ts'
import { addListOptions, loadEvidenceLists, type ListOptions } from './satellite-evidence.ts'
import { gatherFacts } from './satellite-facts.ts'
import { addRecordsOption, chooseRecords } from './satellite-options.ts'
import { walkScan } from './satellite-scan.ts'

interface ExplainOptions extends ListOptions {
  readonly vp: string
  readonly domain: string
  readonly records?: 'table' | 'jsonl'
}

/** More rows of one pair than this are no scan. */
const ROWS_MAX = 100

/** Adds the command to `candor satellite`. */
export function registerSatelliteExplain(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('explain')
    .description('show packets, control, tags, rules and outcome of one pair')
    .argument('<path>', 'a scan: a directory or archive')
    .requiredOption('--vp <address>', 'the resolver')
    .requiredOption('--domain <name>', 'the name that was tested')
  addListOptions(command)
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite explain scan --vp 192.0.2.53 --domain www.example.org')
    .action(async (path: string, options: ExplainOptions) => {
      await explainPair(context, path, options)
    })
}

interface GatheredPair {
  readonly facts: ScanFacts
  readonly judge: ScanJudge
  readonly rows: readonly SatelliteRow[]
  readonly packets: readonly SatelliteQueryPackets[]
}

/** The rows of the pair, and what the whole scan says of its resolver and its addresses. */
async function gatherPair(context: CliContext, path: string, options: ExplainOptions): Promise<GatheredPair> {
  const lists = await loadEvidenceLists(context, options)
  const { facts } = await gatherFacts(context, path, undefined, lists.matchPage)
  const judge = createScanJudge({ facts, plan: context.addressPlan, findBlockAddress: lists.findBlockAddress })
  const rows: SatelliteRow[] = []
  const packets: SatelliteQueryPackets[] = []
  let surveyed = 0
  const survey = (row: SatelliteRow): void => {
    surveyed++
    judge.survey(facts.locate(row))
  }
  await walkScan({
    context,
    path,
    tree: undefined,
    wants: (kind) => isRole(kind) || kind === 'packets',
    onRecord: (record) => {
      if (record.type === 'record') {
        const pair = readPackets(record.fields)
        if (pair?.resolver === options.vp && pair.domain === options.domain) packets.push(...pair.queries)
        return
      }
      const { row } = record
      if (row.role === 'response') survey(row)
      if (row.domain === options.domain && row.resolver === options.vp && rows.length < ROWS_MAX) rows.push(row)
    },
  })
  // A scan has each pair once for each stage; the survey counts it once.
  for (const kind of ['result', 'verified'] as const) {
    if (surveyed > 0) break
    await walkScan({
      context,
      path,
      tree: undefined,
      wants: (each) => each === kind,
      onRecord: (record) => {
        if (record.type === 'row') survey(record.row)
      },
    })
  }
  return { facts, judge, rows, packets }
}

async function explainPair(context: CliContext, path: string, options: ExplainOptions): Promise<void> {
  const { facts, judge, rows, packets } = await gatherPair(context, path, options)
  if (rows.length === 0) {
    throw new RunError(
      `${path} has no row of ${options.vp} and ${options.domain}`,
      'give both as they are written in the scan; candor satellite import PATH --output DIRECTORY lists them',
    )
  }
  const control = facts.findControl(options.domain)
  const isTable = chooseRecords(context, options.records) === 'table'
  for (const row of latestStage(rows)) {
    const judged = row.role === 'response' ? judgePair(facts.locate(row), control, facts.findTags) : facts.locate(row)
    const { findings, judgement, outcome } = judge.judge(judged, packets)
    const text = isTable
      ? formatExplanation(judged, control, facts) +
        packets.map((query) => formatPackets(query)).join('') +
        findings.map((finding) => formatFinding(finding)).join('') +
        `outcome: ${OUTCOME_TEXT[outcome]}; judged: ${judgement}\n`
      : `${JSON.stringify({ row: formatRow(judged), control: formatControl(control), packets, findings, outcome, judgement })}\n`
    await context.stdout.write(text)
  }
}

/** A run has a pair once for each stage: the last one says what the others say. */
function latestStage(rows: readonly SatelliteRow[]): readonly SatelliteRow[] {
  const rankOf = ({ role, flavour }: SatelliteRow): number => {
    if (role === 'response' || role === 'no_answer' || role === 'control_response') return 0
    // Verified rows of the older flavours have fewer fields than the results.
    const isWhole = flavour === 'v2.2' || flavour === 'v2.3'
    return role === 'verified' ? (isWhole ? 3 : 1) : 2
  }
  const latest = Math.max(...rows.map((row) => rankOf(row)))
  return rows.filter((row) => rankOf(row) === latest)
}

function formatControl(control: ControlSet): Readonly<Record<string, unknown>> {
  return {
    asked: control.asked,
    answered: control.answered,
    addresses: [...control.addresses],
    http: [...control.http],
    cert: [...control.cert],
    asnum: [...control.asnum],
    asname: [...control.asname],
  }
}

function formatExplanation(row: SatelliteRow, control: ControlSet, facts: ScanFacts): string {
  const lines = [
    `${row.domain} through ${row.resolver} (${row.location?.countryName ?? 'country not known'}), ${row.flavour} ${row.role}`,
    `control: ${control.answered} of ${control.asked} resolvers answered; ${list(control.addresses)}`,
    `control tags: AS ${list(control.asnum)}; ${list(control.asname)}; ${control.http.size} pages, ${control.cert.size} certificates`,
  ]
  for (const trial of row.trials) {
    const outcome = trial.error ?? (trial.rcode === null ? 'code not known' : `rcode ${trial.rcode}`)
    lines.push(`${trial.purpose} query ${trial.name ?? ''}: ${outcome}`)
    for (const answer of trial.answers) lines.push(formatAnswer(answer, facts))
  }
  const flags = [
    `passed_liveness ${row.passedLiveness ?? '–'}`,
    `in_control_group ${row.inControlGroup ?? '–'}`,
    `connect_error ${row.connectError ?? '–'}`,
    `untagged_controls ${row.confidence?.untaggedControls ?? '–'}`,
    `untagged_response ${row.confidence?.untaggedResponse ?? '–'}`,
    `confidence ${row.confidence?.average ?? '–'}`,
  ]
  lines.push(flags.join(', '), `anomaly: ${row.anomaly ?? 'not judged'}${formatExclusion(row)}`)
  // What strangers wrote does not reach the terminal as it is.
  return lines.map((line) => `${cleanLine(line)}\n`).join('')
}

function formatPackets({ name, purpose, packets }: SatelliteQueryPackets): string {
  const lines = packets.map(
    ({ elapsedMs, rcode, answers }) =>
      `  packet of the ${purpose} query ${name} after ${elapsedMs.toFixed(1)} ms: rcode ${rcode}, ${list(answers)}`,
  )
  return lines.map((line) => `${cleanLine(line)}\n`).join('')
}

function formatFinding({ rule, evidence, weights }: SatelliteFinding): string {
  const { interference, down, ok } = weights
  return `${cleanLine(`finding ${rule}: interference ${interference}, down ${down}, ok ${ok}; ${JSON.stringify(evidence)}`)}\n`
}

function formatAnswer({ address, tags, matched }: SatelliteAnswer, facts: ScanFacts): string {
  const known = tags ?? facts.findTags(address)
  const described =
    known === undefined
      ? 'no tags in this scan'
      : `AS${known.asnum ?? '–'} ${known.asname ?? '–'}, page ${known.http ?? '–'}, certificate ${known.cert ?? '–'}`
  const matches = matched === null ? 'not judged' : `matched ${list(matched)}`
  const percent = matched === null || known === undefined ? '' : `, ${answerConfidence(known, matched)} %`
  return `  ${address}: ${described}; ${matches}${percent}`
}

function formatExclusion(row: SatelliteRow): string {
  if (row.excluded !== true) return ''
  return `, excluded: ${(row.excludeReasons ?? []).join(', ')}`
}

function list(values: Iterable<string | number>): string {
  const all = [...values]
  return all.length === 0 ? 'none' : all.join(', ')
}
