/** Names and values, one pair a line. */
import { html } from 'hono/html'
import type { Html } from './html-value.ts'

/** A name and what stands beside it: text or a piece of a page. */
export type Fact = readonly [name: string | Html, value: unknown]

/** Renders the list. */
export function renderFacts(facts: readonly Fact[]): Html {
  return html`<dl class="facts-list">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}
