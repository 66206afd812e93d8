/**
 * The evidence of a run in blocks: whole results, some of them together, compressed. What failed stands in blocks of its
 * own, so that the rest can be given up earlier without touching them.
 *
 * **Invariant**: a result that was packed comes out of its block exactly as it went in.
 */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitReport, ExitResult } from '../model/exit-result.ts'

/** Results in a block. More pack better and cost more to look one up: 32 are unpacked in about a millisecond. */
const RESULTS_PER_BLOCK = 32
/** Of results that are no sound ones; kept longer. */
export const EVIDENCE_OF_FAILURES = 1
/** Of sound results. */
export const EVIDENCE_OF_SUCCESSES = 0

/** Some results of one class, packed. */
export interface EvidenceBlock {
  readonly class: number
  /** Fingerprint of the first result; the block holds results from there on, in order. */
  readonly first: string
  readonly block: Uint8Array
}

const compress = promisify(zstdCompress)
/** Twice the time of the default level, a tenth less space. */
const LEVEL = 6

/** Packs what is to be kept of a report. Gives other work a turn after each block. */
export async function packEvidence(report: ExitReport, keep: KeptEvidence): Promise<readonly EvidenceBlock[]> {
  const blocks: EvidenceBlock[] = []
  for (const evidenceClass of [EVIDENCE_OF_FAILURES, EVIDENCE_OF_SUCCESSES]) {
    if (keep === 'none' || (keep === 'failures' && evidenceClass === EVIDENCE_OF_SUCCESSES)) continue
    const results = report.results.filter(
      (result) => isFailureEvidence(result) === (evidenceClass === EVIDENCE_OF_FAILURES),
    )
    for (let index = 0; index < results.length; index += RESULTS_PER_BLOCK) {
      const part = results.slice(index, index + RESULTS_PER_BLOCK)
      const text = part.map((result) => `${result.exit_fingerprint} ${JSON.stringify(result)}\n`).join('')
      const block = await compress(text, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })
      blocks.push({ class: evidenceClass, first: part[0]?.exit_fingerprint ?? '', block: new Uint8Array(block) })
    }
  }
  return blocks
}

/** Finds a result in a block. @returns `undefined` when it is not in there. */
export function unpackEvidence(block: Uint8Array, fingerprint: string): ExitResult | undefined {
  const text = new TextDecoder().decode(zstdDecompressSync(block))
  const start = text.startsWith(`${fingerprint} `) ? 0 : text.indexOf(`\n${fingerprint} `) + 1
  if (start === 0 && !text.startsWith(`${fingerprint} `)) return undefined
  const line = text.slice(start + fingerprint.length + 1, text.indexOf('\n', start))
  return JSON.parse(line) as ExitResult
}

/** Whether a result is worth keeping for longer: anything but an untroubled success. */
export function isFailureEvidence(result: Pick<ExitResult, 'status' | 'status_ipv6' | 'flags'>): boolean {
  const isIpv6Sound = result.status_ipv6 === null || result.status_ipv6 === 'success'
  return result.status !== 'success' || !isIpv6Sound || result.flags.length > 0
}
