/**
 * Verdicts in plain English: of a whole run and of one relay.
 *
 * Invariant: a sentence stands before any number, and each number in it has its whole.
 */
import { exitStanding } from '../api/exit-standing.ts'
import { isRunning, type RunSummary } from '../api/run-summary.ts'
import { assertNever } from '../core/assert.ts'
import type { ExitResult } from '../model/exit-result.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { formatCount, formatCounted, formatMs } from './format-quantity.ts'
import { FLAG_MEANINGS, formatCodeMeaning, STATUS_WORDS } from './verdict-words.ts'

/** Says what a run has found: the sentence at the top of the overview. */
export function formatRunSentence(view: ExitRunView, summary: RunSummary): string {
  if (summary.finished === 0) return formatBeginning(view, summary)
  const parts = [`${formatCount(summary.sound)} sound`]
  if (summary.suspect > 0) parts.push(`${formatCount(summary.suspect)} suspect`)
  parts.push(`${formatCount(summary.failing)} failing`)
  if (summary.unreachable > 0) parts.push(`${formatCount(summary.unreachable)} unreachable and not counted`)
  if (summary.notJudged > 0) parts.push(`${formatCount(summary.notJudged)} not judged`)
  if (summary.notTested > 0) parts.push(`${formatCount(summary.notTested)} not tested`)
  const soFar = isRunning(view) ? ' so far' : ''
  const exits = formatCounted(summary.candidates, 'exit', 'exits')
  return `${formatCount(summary.measured)} of ${exits} measured${soFar}: ${parts.join(', ')}.`
}

/** Says what happens before the first exit has a verdict. */
export function formatBeginning(view: ExitRunView, summary: RunSummary): string {
  switch (view.phase) {
    case 'building_laboratory':
      return 'Building the laboratory: a private Tor network with faults that are known beforehand.'
    case 'starting_tor':
      return 'Starting Tor.'
    case 'preflight':
      return 'Checking that our own zone answers, before any exit is asked about it.'
    case 'scanning':
      return `Asking the first of ${formatCounted(summary.candidates, 'exit', 'exits')}.`
    case 'writing':
    case 'done':
      return view.runId === null
        ? 'No run has been made yet, so nothing is known about any exit.'
        : 'The run is over and has measured no exit.'
    case 'failed':
      return 'There is nothing to show: no exit was measured.'
    default:
      return assertNever(view.phase)
  }
}

/** Says how the verdicts compare with what is known to be wrong; `undefined` outside a laboratory. */
export function formatTruthSentence(summary: RunSummary): string | undefined {
  if (summary.truth === null) return undefined
  const { agreeing, disagreeing, open } = summary.truth
  const compared = agreeing + disagreeing + open
  if (compared === 0) return 'No verdict can be compared with the truth yet.'
  const verdicts = formatCounted(compared, 'verdict', 'verdicts')
  if (disagreeing > 0)
    return `${formatCount(disagreeing)} of ${verdicts} ${disagreeing === 1 ? 'disagrees' : 'disagree'} with the truth.`
  if (open > 0)
    return `${formatCount(agreeing)} of ${verdicts} ${agreeing === 1 ? 'agrees' : 'agree'} with the truth so far; the rest is open until what our authority saw is joined.`
  return compared === 1 ? 'The one verdict agrees with the truth.' : `All ${verdicts} agree with the truth.`
}

/** Says what was found at one relay, in a few sentences. */
export function formatExitSentences(result: ExitResult): readonly string[] {
  const sentences = [formatFinding(result)]
  if (result.error_code !== null && result.error_code !== 'WRONG_ADDRESS')
    sentences.push(formatCodeMeaning(result.error_code))
  const wrong = result.resolver?.wrong_answer ?? null
  if (wrong === 'rewritten') sentences.push('Our authority never saw the question: the answer was made up on the way.')
  if (wrong === 'poisoned')
    sentences.push('Our authority was asked and gave the right answer, and another one came back.')
  const confirmation = formatConfirmation(result)
  if (confirmation !== undefined) sentences.push(confirmation)
  if (result.status_ipv6 !== null && result.status_ipv6 !== result.status)
    sentences.push(`Its verdict about IPv6 addresses is another one: ${STATUS_WORDS[result.status_ipv6].label}.`)
  for (const flag of result.flags) sentences.push(`Note: ${FLAG_MEANINGS[flag]}.`)
  return sentences
}

function formatFinding(result: ExitResult): string {
  const isSuspect = exitStanding(result) === 'suspect'
  const failing = isSuspect ? 'Suspect' : 'Failing'
  const within = result.latency_ms === null ? '' : ` after ${formatMs(result.latency_ms)}`
  switch (result.status) {
    case 'success':
      return result.mode === 'nxdomain'
        ? `${isSuspect ? 'Suspect, although right' : 'Sound'} for the name we asked: it does not exist, and the exit said so${within}.`
        : `${isSuspect ? 'Suspect, although right' : 'Sound'} for our zone: the exit gave the right address ${result.resolved_ip ?? ''}${within}, for a name that nobody had asked before.`
    case 'wrong_ip':
      if (result.resolved_ip === null)
        return `${failing}: our authority was asked and answered right, and yet no address came out of the exit.`
      return result.mode === 'nxdomain'
        ? `${failing}: the exit gave ${result.resolved_ip ?? 'an address'} for a name that does not exist.`
        : `${failing}: the exit gave ${result.resolved_ip ?? 'another address'}, and only ${result.expected_ip ?? 'our own address'} is right.`
    case 'dns_fail':
      return `${failing}: the exit gave no address${within} for a name that has one.`
    case 'timeout':
      return `${failing}: the exit gave up waiting for its resolver${within}.`
    case 'circuit_fail':
      return 'Unreachable and not counted: this says nothing about DNS at the exit.'
    case 'error':
    case 'exception':
    case 'not_tested':
      return `Not measured. ${STATUS_WORDS[result.status].meaning}`
    default:
      return assertNever(result.status)
  }
}

/** How many circuits, over how many first hops, say what the verdict says. */
function formatConfirmation(result: ExitResult): string | undefined {
  const own = result.attempts.filter((attempt) => attempt.query_type === 'A')
  const circuits = new Set(own.map((attempt) => attempt.circuit))
  if (circuits.size < 2) return undefined
  const agreeing = own.filter((attempt) => attempt.status === result.status)
  const agreeingCircuits = new Set(agreeing.map((attempt) => attempt.circuit))
  const firstHops = new Set(agreeing.map((attempt) => attempt.path[0]))
  return `${formatCount(agreeingCircuits.size)} of ${formatCount(circuits.size)} circuits say so, over ${formatCounted(firstHops.size, 'first hop', 'different first hops')}.`
}
