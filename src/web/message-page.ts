/** Pages that say one thing: not found, a kind of problem. */
import { html } from 'hono/html'
import { PROBLEMS, type ProblemName } from '../api/problem.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

/** Renders a problem for people; `detail` is one sentence about this request. */
export function renderProblemPage(name: ProblemName, detail: string): Html {
  const { title, meaning, status } = PROBLEMS[name]
  return renderLayout({
    title,
    section: 'none',
    isLive: false,
    content: html`<section class="lead" id="lead">
      <p class="eyebrow">${status}</p>
      <h1>${title}.</h1>
      <p class="second">${detail === '' ? meaning : detail}</p>
      ${detail === '' ? '' : html`<p class="second">${meaning}</p>`}
      <p><a href="/">To the overview</a></p>
    </section>`,
  })
}
