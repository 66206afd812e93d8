/** How each verdict is decided: every status and code in a sentence, and the documents about the detectors. */
import { html } from 'hono/html'
import { EXIT_FLAGS } from '../api/exit-query.ts'
import type { DocumentSource } from '../model/document-source.ts'
import { renderStatusBadge } from './badges.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderMarkdown } from './markdown.ts'
import {
  ERROR_CODES,
  FLAG_MEANINGS,
  formatCodeMeaning,
  formatHowUrl,
  STATUS_WORDS,
  STATUSES_IN_ORDER,
} from './verdict-words.ts'

/** Renders the list of all verdicts. */
export async function renderHowIndex(documents: DocumentSource): Promise<Html> {
  const names = (await documents.names()).filter((name) => name.endsWith('.md')).map((name) => name.slice(0, -3))
  return renderLayout({
    title: 'How verdicts are decided',
    section: 'how',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <h1>How verdicts are decided</h1>
        <p class="second">
          Each exit is asked for a name that nobody has asked before. What comes back, and when, decides; a failure
          counts only after other circuits have confirmed it.
        </p>
      </section>
      <section class="card" id="statuses">
        <h2>Verdicts</h2>
        <dl class="facts-list">
          ${STATUSES_IN_ORDER.map(
            (status) =>
              html`<div>
                <dt>${renderStatusBadge(status)}<span class="sub mono">${status}</span></dt>
                <dd>${STATUS_WORDS[status].meaning}</dd>
              </div>`,
          )}
        </dl>
      </section>
      <section class="card" id="codes">
        <h2>Codes</h2>
        <dl class="facts-list">
          ${ERROR_CODES.map(
            (code) =>
              html`<div>
                <dt><a class="mono" href="${formatHowUrl(code)}">${code}</a></dt>
                <dd>${formatCodeMeaning(code)}</dd>
              </div>`,
          )}
        </dl>
      </section>
      <section class="card" id="flags">
        <h2>Marks</h2>
        <dl class="facts-list">
          ${EXIT_FLAGS.map(
            (flag) =>
              html`<div>
                <dt><span class="flag">${flag.replaceAll('_', ' ')}</span></dt>
                <dd>${FLAG_MEANINGS[flag]}</dd>
              </div>`,
          )}
        </dl>
      </section>
      ${
        names.length === 0
          ? ''
          : html`<section class="card" id="documents">
              <h2>Detectors</h2>
              <ul>
                ${names.map((name) => html`<li><a href="/how/${name}">${name}</a></li>`)}
              </ul>
            </section>`
      }`,
  })
}

/**
 * Renders the page of one detector or code.
 *
 * @returns `undefined` when nothing has this name.
 */
export async function renderHowPage(documents: DocumentSource, slug: string): Promise<Html | undefined> {
  const code = ERROR_CODES.find((candidate) => formatHowUrl(candidate) === `/how/${slug}`)
  const octets = await documents.read(`${slug}.md`)
  const documentAbout = octets === undefined ? await findDocumentAbout(documents, code) : octets
  if (code === undefined && documentAbout === undefined) return undefined
  return renderLayout({
    title: code ?? slug,
    section: 'how',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/how">How verdicts are decided</a> · <span class="mono">${code ?? slug}</span></p>
        ${
          code === undefined
            ? ''
            : html`<h1><span class="mono">${code}</span></h1>
                <p class="second">${formatCodeMeaning(code)}</p>`
        }
      </section>
      ${documentAbout === undefined ? '' : html`<article class="card prose" id="document">${renderMarkdown(new TextDecoder().decode(documentAbout), mapLink)}</article>`}`,
  })
}

/** A code without a page of its own is explained where a page names it in its first lines or headings. */
async function findDocumentAbout(documents: DocumentSource, code: string | undefined): Promise<Uint8Array | undefined> {
  if (code === undefined) return undefined
  for (const name of await documents.names()) {
    if (!name.endsWith('.md')) continue
    const octets = await documents.read(name)
    if (octets !== undefined && new TextDecoder().decode(octets).includes(code)) return octets
  }
  return undefined
}

/** Links between detector pages stay here; https goes out; other files of the repository are not served. */
function mapLink(target: string): string | undefined {
  if (target.startsWith('https://')) return target
  const page = /^(?:\.\/)?([a-z0-9-]+)\.md(#[\w-]+)?$/.exec(target)
  return page === null ? undefined : `/how/${page[1]}${page[2] ?? ''}`
}
