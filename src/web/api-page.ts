/** What programs can ask: every operation of the API, and the files and streams beside it. */
import { html } from 'hono/html'
import type { OperationFacts } from '../api/operation.ts'
import { PROBLEMS } from '../api/problem.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

/** Addresses that are no operation, with what they give. */
const OTHERS: readonly { readonly path: string; readonly gives: string; readonly isLink: boolean }[] = [
  { path: '/openapi.json', gives: 'the same as a document for programs (OpenAPI 3.1)', isLink: true },
  { path: '/latest.json', gives: 'the newest whole and valid report', isLink: true },
  { path: '/files.json', gives: 'names of the newest 100 reports, newest first; files-all.json has all', isLink: true },
  { path: '/dnshealth_YYYYMMDD_HHMMSS.json', gives: 'one report; its address never changes', isLink: false },
  { path: '/report_YYYYMMDD_HHMMSS.md', gives: 'the same report to read', isLink: false },
  {
    path: '/api/v1/events',
    gives: 'Server-Sent Events: what changes, with ids, so that a client resumes without a gap',
    isLink: false,
  },
  { path: '/healthz', gives: 'whether the process answers', isLink: true },
]

/** Renders the page. */
export function renderApiPage(operations: readonly OperationFacts[]): Html {
  return renderLayout({
    title: 'API',
    section: 'api',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <h1>Everything on these pages is there for programs, too.</h1>
        <p class="second">
          JSON over HTTP, described by <a href="/openapi.json">/openapi.json</a>. Lists have cursors, closed runs never
          change, errors are problem details with a type that stays the same.
        </p>
      </section>
      <section id="operations" aria-labelledby="operations-title">
        <h2 id="operations-title">Operations</h2>
        <div class="scroll framed" role="region" aria-label="Operations, table" tabindex="0">
          <table class="api">
            <thead>
              <tr>
                <th scope="col">address</th>
                <th scope="col">what it does</th>
              </tr>
            </thead>
            <tbody>
              ${operations.map(
                ({ method, path, summary }) =>
                  html`<tr>
                    <th scope="row">
                      <span class="method">${method}</span>
                      ${method === 'GET' && !path.includes('{') ? html`<a class="mono wrap" href="${path}">${path}</a>` : html`<span class="mono wrap">${path}</span>`}
                    </th>
                    <td>${summary}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </section>
      <div class="pair even" id="others">
        <section class="card" aria-labelledby="files-title">
          <h2 id="files-title">Files and streams</h2>
          <dl class="facts-list stacked">
            ${OTHERS.map(
              ({ path, gives, isLink }) =>
                html`<div>
                  <dt>
                    ${isLink ? html`<a class="mono wrap" href="${path}">${path}</a>` : html`<span class="mono wrap">${path}</span>`}
                  </dt>
                  <dd>${gives}</dd>
                </div>`,
            )}
          </dl>
        </section>
        <section class="card" aria-labelledby="problems-title">
          <h2 id="problems-title">Problems</h2>
          <dl class="facts-list stacked">
            ${Object.entries(PROBLEMS).map(
              ([name, { status, title }]) =>
                html`<div>
                  <dt><a class="mono" href="/problems/${name}">${name}</a></dt>
                  <dd>${status}: ${title}</dd>
                </div>`,
            )}
          </dl>
        </section>
      </div>`,
  })
}
