/** Small marks that say in text, shape and colour, in that order, what something is. */
import { html } from 'hono/html'
import type { TruthAgreement } from '../api/run-summary.ts'
import type { ExitFlag, ExitStatus } from '../model/exit-result.ts'
import type { Html } from './html-value.ts'
import { FLAG_MEANINGS, STATUS_WORDS } from './verdict-words.ts'

/** The badge of a status. */
export function renderStatusBadge(status: ExitStatus): Html {
  const { label, mark } = STATUS_WORDS[status]
  return html`<span class="badge s-${status}"><span aria-hidden="true">${mark}</span> ${label}</span>`
}

/** The badges of flags; nothing for none. */
export function renderFlags(flags: readonly ExitFlag[]): readonly Html[] {
  return flags.map(
    (flag) => html` <span class="flag" title="${FLAG_MEANINGS[flag]}">${flag.replaceAll('_', ' ')}</span>`,
  )
}

/** How an agreement is said and drawn. */
export const AGREEMENT_WORDS: Readonly<
  Record<TruthAgreement, { readonly mark: string; readonly label: string; readonly name: string }>
> = {
  right: { mark: '✓', label: 'right', name: 'agree' },
  wrong: { mark: '✕', label: 'wrong', name: 'disagree' },
  open: { mark: '…', label: 'open', name: 'open' },
}

/** How a verdict compares with the truth. */
export function renderAgreement(agreement: TruthAgreement): Html {
  const { mark, label, name } = AGREEMENT_WORDS[agreement]
  return html`<span class="${name}"><span aria-hidden="true">${mark}</span> ${label}</span>`
}
