/** The page that says what is wrong with the configuration. */
import { html } from 'hono/html'
import type { ConfigError } from '../core/config-error.ts'
import type { Html } from '../web/html-value.ts'
import { renderLayout } from '../web/layout.ts'

/** Renders it: where, what, and what is right. */
export function renderConfigError({ path, message, hint }: ConfigError): Html {
  return renderLayout({
    title: 'Misconfigured',
    section: 'none',
    isLive: false,
    content: html`<section class="lead" id="lead">
      <p class="eyebrow">${path}</p>
      <h1>The configuration cannot be used.</h1>
      <p class="alert" role="alert">${message}</p>
      <p class="second">Right: <code>${hint}</code></p>
      <p class="second">Nothing is watched until it is mended and deployed again.</p>
    </section>`,
  })
}
