/**
 * Truth beside verdict: the confusion matrix of a run in the laboratory.
 *
 * Invariant: a relay is right when its (status, code) is one of those that its fault expects; nothing else is looked at.
 */
import type { ExitTruth } from '../model/run-view.ts'
import { ABSENT_STATUS } from './faults.ts'

/** What the matrix needs of a result. */
export interface JudgedExit {
  readonly exit_fingerprint: string
  readonly exit_nickname: string
  readonly status: string
  readonly error_code: string | null
  readonly flags?: readonly string[]
}

/** A relay whose verdict its fault does not expect. */
export interface Misclassified {
  readonly fingerprint: string
  readonly nickname: string
  readonly fault: string
  readonly verdict: string
  /** `status/CODE` of each verdict that would have been right. */
  readonly expected: readonly string[]
}

/** The comparison of a run with the truth. */
export interface ConfusionMatrix {
  /** Exits of the laboratory. */
  readonly exits: number
  /** Of these, with a right verdict. */
  readonly right: number
  /** Of these, with a failure of another class and the flag `unsure`: the run says itself that times were poor. */
  readonly unsure: number
  readonly misclassified: readonly Misclassified[]
  /** Rows are faults, columns are statuses, for people. */
  readonly text: string
}

/** Order of the columns; others follow as they come. */
const COLUMNS = ['success', 'wrong_ip', 'dns_fail', 'timeout', 'circuit_fail', 'error', 'exception', 'not_tested']

/** Compares results with the truth. Exits without a result count as `absent`; results without truth are left out. */
export function compareWithTruth(
  truth: ReadonlyMap<string, ExitTruth>,
  results: readonly JudgedExit[],
): ConfusionMatrix {
  const byFingerprint = new Map(results.map((result) => [result.exit_fingerprint, result]))
  const rows = new Map<string, Map<string, { count: number; wrong: number }>>()
  const misclassified: Misclassified[] = []
  let unsure = 0
  for (const [fingerprint, { fault, expected }] of truth) {
    const result = byFingerprint.get(fingerprint)
    const [status, errorCode] = [result?.status ?? ABSENT_STATUS, result?.error_code ?? null]
    const isRight = expected.some((it) => it.status === status && it.errorCode === errorCode)
    const isUnsure = !isRight && result !== undefined && isLenient(result, expected)
    if (isUnsure) unsure += 1
    const row = rows.get(fault) ?? new Map<string, { count: number; wrong: number }>()
    const cell = row.get(status) ?? { count: 0, wrong: 0 }
    row.set(status, { count: cell.count + 1, wrong: cell.wrong + (isRight || isUnsure ? 0 : 1) })
    rows.set(fault, row)
    if (isRight || isUnsure) continue
    misclassified.push({
      fingerprint,
      nickname: result?.exit_nickname ?? '',
      fault,
      verdict: formatVerdict(status, errorCode),
      expected: expected.map((it) => formatVerdict(it.status, it.errorCode)),
    })
  }
  const right = truth.size - misclassified.length - unsure
  const text = formatMatrix(rows, { right, unsure, exits: truth.size, misclassified })
  return { exits: truth.size, right, unsure, misclassified, text }
}

/** A failing resolver in another class of time, where the run was too slow to tell: neither right nor an accusation. */
function isLenient(result: JudgedExit, expected: ExitTruth['expected']): boolean {
  return (
    result.flags?.includes('unsure') === true &&
    isTimedFailure(result.status) &&
    expected.some((it) => isTimedFailure(it.status))
  )
}

function isTimedFailure(status: string): boolean {
  return status === 'dns_fail' || status === 'timeout'
}

function formatVerdict(status: string, errorCode: string | null): string {
  return errorCode === null ? status : `${status}/${errorCode}`
}

function formatMatrix(
  rows: ReadonlyMap<string, ReadonlyMap<string, { readonly count: number; readonly wrong: number }>>,
  { right, unsure, exits, misclassified }: Omit<ConfusionMatrix, 'text'>,
): string {
  const seen = new Set(rows.values().flatMap((row) => row.keys()))
  const columns = [...COLUMNS.filter((column) => seen.delete(column)), ...seen]
  const width = Math.max(5, ...[...rows.keys()].map((fault) => fault.length))
  const line = (first: string, cells: readonly string[]): string =>
    `${first.padEnd(width)}${cells.map((cell, index) => `  ${cell.padStart(columns[index]?.length ?? 0)}`).join('')}`
  const body = [...rows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([fault, row]) =>
      line(
        fault,
        columns.map((column) => {
          const cell = row.get(column)
          return cell === undefined ? '·' : `${cell.count}${cell.wrong > 0 ? '!' : ''}`
        }),
      ),
    )
  const wrong = misclassified.map(
    (it) => `  ${it.nickname} ${it.fingerprint} (${it.fault}): ${it.verdict}, not ${it.expected.join(' or ')}`,
  )
  return [
    line('truth', columns),
    ...body,
    [
      `${right} of ${exits} exits judged rightly`,
      ...(unsure === 0 ? [] : [`${unsure} unsure`]),
      ...(wrong.length === 0 ? [] : ['misclassified (!):']),
    ].join('; '),
    ...wrong,
  ].join('\n')
}
