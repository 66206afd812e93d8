/** Lists that the rules of `candor satellite` load, and what the rules write beside the published files. */
import { Option, type Command } from 'commander'
import { formatAggregate, formatControl, formatPairJudgement } from '../campaigns/satellite/format-judgement.ts'
import { openPacketJoin } from '../campaigns/satellite/packet-join.ts'
import { createScanJudge } from '../campaigns/satellite/judge-scan.ts'
import type { ScanFacts } from '../campaigns/satellite/scan-facts.ts'
import { FAIL_ON, type FailOn } from '../config/exit-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { readText } from '../core/files.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { createNodePatternSearch } from '../platform/node-pattern-search.ts'
import { parseBlockAddresses, type FindBlockAddress } from '../verdicts/satellite-known-block.ts'
import { createPageMatcher, type MatchPage } from '../verdicts/satellite-page-match.ts'
import { graver, SATELLITE_SEVERITIES, tellSeverity, type SatelliteSeverity } from '../verdicts/satellite-severity.ts'
import { parseSignatures, type PageSignature } from '../verdicts/satellite-signatures.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_DONE, STATUS_FINDINGS } from './exit-status.ts'
import { openSource } from './satellite-scan.ts'
import type { SatelliteTree } from './satellite-tree.ts'

/** Where the lists are, as given. */
export interface ListOptions {
  readonly blockAddresses?: string
  readonly blockpageSignatures?: string
  readonly falsePositiveSignatures?: string
}

/** Options of a command that judges. */
export interface EvidenceOptions extends ListOptions {
  readonly failOn: FailOn
}

/** The lists, loaded. */
export interface EvidenceLists {
  readonly findBlockAddress: FindBlockAddress
  /** `undefined` without signatures. */
  readonly matchPage: MatchPage | undefined
}

/** What the rules did over a scan. */
export interface ScanEvidence {
  /** First pass. */
  survey(row: SatelliteRow): void
  /** Second pass, in the order of the packets: writes the findings of a row. */
  judge(row: SatelliteRow): Promise<void>
  /** Writes what groups and resolvers show. @returns The gravest of all; `undefined` for nothing grave. */
  finish(): Promise<SatelliteSeverity | undefined>
}

const LIST_OCTETS_MAX = 64 * 1024 * 1024

/** Adds the lists to a command. */
export function addListOptions(command: Command): void {
  command
    .option('--block-addresses <file>', 'addresses and prefixes of block servers, one in each line, then a label')
    .option('--blockpage-signatures <file>', 'signatures of block pages: JSON Lines of fingerprint and pattern')
    .option('--false-positive-signatures <file>', 'signatures of pages that only look so; they are tried first')
}

/** Adds the lists and `--fail-on` to a command. */
export function addEvidenceOptions(command: Command): void {
  addListOptions(command)
  command.addOption(
    new Option('--fail-on <severity>', 'exit status 4 for findings at or above this severity')
      .choices(FAIL_ON)
      .default('none'),
  )
}

/** @throws {ConfigError} For a list with a line that cannot be read. @throws {FileError} For a file that cannot. */
export async function loadEvidenceLists(context: CliContext, options: ListOptions): Promise<EvidenceLists> {
  const { blockAddresses, blockpageSignatures, falsePositiveSignatures } = options
  const addresses = parseBlockAddresses(
    blockAddresses === undefined ? '' : await readText(context.files, blockAddresses, LIST_OCTETS_MAX),
  )
  const [problem] = addresses.problems
  if (problem !== undefined) {
    throw new ConfigError(
      '--block-addresses',
      `${blockAddresses ?? ''}, ${problem}`,
      '203.0.113.7 national block server',
    )
  }
  const falsePositives = await loadSignatures(context, '--false-positive-signatures', falsePositiveSignatures)
  const blockpages = await loadSignatures(context, '--blockpage-signatures', blockpageSignatures)
  const hasSignatures = falsePositives.length + blockpages.length > 0
  return {
    findBlockAddress: addresses.find,
    matchPage: hasSignatures ? createPageMatcher(falsePositives, blockpages, createNodePatternSearch()) : undefined,
  }
}

/** Signatures that cannot be read are named and left out: lists of strangers have such. */
async function loadSignatures(
  context: CliContext,
  option: string,
  path: string | undefined,
): Promise<readonly PageSignature[]> {
  if (path === undefined) return []
  const { signatures, problems } = parseSignatures(await readText(context.files, path, LIST_OCTETS_MAX))
  for (const problem of problems) context.log.warn('satellite.signature.left_out', { file: path, problem })
  if (problems.length > 0) await context.say(`${path}: ${problems.length} signatures cannot be read and are left out`)
  if (signatures.length === 0) {
    throw new ConfigError(
      option,
      `${path} has no signature`,
      '{"fingerprint": "c_isp_example", "pattern": "blocked by"}',
    )
  }
  return signatures
}

/** Begins with nothing seen. @param scan - Its `tree` gets findings, aggregates, controls and profiles. */
export function createScanEvidence(
  context: CliContext,
  facts: ScanFacts,
  lists: EvidenceLists,
  scan: { readonly path: string; readonly tree: SatelliteTree },
): ScanEvidence {
  const { path, tree } = scan
  const packets = openPacketJoin(openSource(context, path))
  const judge = createScanJudge({ facts, plan: context.addressPlan, findBlockAddress: lists.findBlockAddress })
  const domains = new Set<string>()
  let gravest: SatelliteSeverity | undefined
  return {
    survey: judge.survey,
    judge: async (row) => {
      const judged = judge.judge(row, await packets.take(row))
      gravest = graver(gravest, tellSeverity(judged.judgement, judged.findings))
      domains.add(row.domain)
      await tree.write('findings.jsonl', formatPairJudgement(row, judged))
    },
    finish: async () => {
      const left = await packets.close()
      if (left > 0) await context.say(`packets of ${left} pairs belong to no row in this order, and were not looked at`)
      for (const aggregate of judge.aggregates()) {
        if (aggregate.verdict === 'interference') gravest = 'critical'
        await tree.write('aggregates.jsonl', formatAggregate(aggregate))
      }
      for (const domain of domains) await tree.write('controls.jsonl', formatControl(domain, facts.findControl(domain)))
      for (const profile of judge.profiles()) await tree.write('raw/resolvers_profile.json', profile)
      for (const [fingerprint, pages] of facts.stoppedSignatures) {
        context.log.warn('satellite.signature.stopped', { fingerprint, pages })
        await context.say(`signature ${fingerprint} took too long on ${pages} pages and was stopped there`)
      }
      return gravest
    },
  }
}

/** Ends with status 4 when something is as grave as `--fail-on` says; a status that says more stays. */
export function finishWithSeverity(context: CliContext, gravest: SatelliteSeverity | undefined, failOn: FailOn): void {
  if (gravest === undefined || failOn === 'none' || context.status() !== STATUS_DONE) return
  if (SATELLITE_SEVERITIES.indexOf(gravest) >= SATELLITE_SEVERITIES.indexOf(failOn)) context.finish(STATUS_FINDINGS)
}
