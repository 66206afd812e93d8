/** The sentence about a run as a piece of a page: each number in it is a link to the exits behind it. */
import { html } from 'hono/html'
import type { RunSummary } from '../api/run-summary.ts'
import { formatCount, formatCounted } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import type { ShownRun } from './run-shelf.ts'
import { formatBeginning } from './verdict-sentence.ts'
import { isRunning } from '../api/run-summary.ts'

/** A part of the sentence that is a number, and the filter that shows its exits. */
interface Part {
  readonly count: number
  readonly words: string
  readonly filter: string
  /** Whether it stands there when it is 0. */
  readonly always?: true
}

/** Renders the sentence; without results, what happens just now. */
export function renderSentence(run: ShownRun): Html | string {
  const { summary, view, rows } = run
  if (summary.finished === 0) return formatBeginning(view, summary)
  const base = run.isCurrent ? 'run=current&' : `run=${run.runId ?? ''}&`
  const link = (count: number, words: string, filter: string): Html | string => {
    const text = `${formatCount(count)}\u00A0${words}`
    return rows === undefined || count === 0 ? text : html`<a href="/exits?${base}${filter}">${text}</a>`
  }
  const parts = listParts(summary, rows !== undefined).filter(({ count, always }) => count > 0 || always === true)
  const soFar = run.isCurrent && isRunning(view) ? ' so far' : ''
  return html`${formatCount(summary.measured)} of ${formatCounted(summary.candidates, 'exit', 'exits')}
  measured${soFar}:
  ${parts.map(({ count, words, filter }, index) => html`${index === 0 ? '' : ', '}${link(count, words, filter)}`)}.`
}

function listParts(summary: RunSummary, hasRows: boolean): readonly Part[] {
  return [
    { count: summary.sound, words: 'sound', filter: 'standing=sound', always: true },
    { count: summary.suspect, words: 'suspect', filter: 'standing=suspect' },
    {
      count: summary.failing,
      words: hasRows ? 'failing' : 'failing or suspect',
      filter: 'standing=failing',
      always: true,
    },
    { count: summary.unreachable, words: 'unreachable and not counted', filter: 'standing=unreachable' },
    { count: summary.notJudged, words: 'not judged', filter: 'standing=not_judged' },
    { count: summary.notTested, words: 'not tested', filter: 'standing=not_tested' },
  ]
}
