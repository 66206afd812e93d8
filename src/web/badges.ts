/** Small marks that say in text, shape and colour, in that order, what something is. */
import { html } from 'hono/html'
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

/** Whether a verdict agrees with the truth. */
export function renderAgreement(agrees: boolean): Html {
  return agrees
    ? html`<span class="agree"><span aria-hidden="true">✓</span> right</span>`
    : html`<span class="disagree"><span aria-hidden="true">✕</span> wrong</span>`
}
