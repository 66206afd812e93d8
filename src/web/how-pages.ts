/** How each verdict is decided: every status and code in a sentence, and the documents about the detectors. */
import { html } from 'hono/html'
import { EXIT_FLAGS, EXIT_STANDINGS } from '../api/exit-query.ts'
import type { DocumentSource } from '../model/document-source.ts'
import { renderStatusBadge } from './badges.ts'
import { renderFacts, type Fact } from './fact-list.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderMarkdown } from './markdown.ts'
import {
  ERROR_CODES,
  FLAG_MEANINGS,
  formatCodeMeaning,
  formatHowUrl,
  STANDING_WORDS,
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
      ${renderTerms(
        'standings',
        'What a verdict amounts to',
        EXIT_STANDINGS.map((standing) => [STANDING_WORDS[standing].label, STANDING_WORDS[standing].meaning]),
      )}
      ${renderTerms(
        'statuses',
        'Verdicts',
        STATUSES_IN_ORDER.map((status) => [
          html`${renderStatusBadge(status)}<span class="sub mono">${status}</span>`,
          STATUS_WORDS[status].meaning,
        ]),
      )}
      ${renderTerms(
        'codes',
        'Codes',
        ERROR_CODES.map((code) => [
          html`<a class="mono" href="${formatHowUrl(code)}">${code}</a>`,
          formatCodeMeaning(code),
        ]),
      )}
      ${renderTerms(
        'flags',
        'Marks',
        EXIT_FLAGS.map((flag) => [html`<span class="flag">${flag.replaceAll('_', ' ')}</span>`, FLAG_MEANINGS[flag]]),
      )}
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

function renderTerms(id: string, title: string, terms: readonly Fact[]): Html {
  return html`<section class="card" id="${id}">
    <h2>${title}</h2>
    ${renderFacts(terms)}
  </section>`
}

/**
 * Renders the page of one detector or code.
 *
 * @returns `undefined` when nothing has this name.
 */
export async function renderHowPage(documents: DocumentSource, slug: string): Promise<Html | undefined> {
  const octets = await documents.read(`${slug}.md`)
  if (octets !== undefined) return renderDocumentPage(slug, new TextDecoder().decode(octets))
  const code = findCode(slug)
  if (code === undefined) return undefined
  const mentions = await findMentions(documents, code)
  const [best] = mentions
  return renderLayout({
    title: code,
    section: 'how',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/how">How verdicts are decided</a></p>
        <h1><span class="mono">${code}</span></h1>
        <p class="second">${formatCodeMeaning(code)}</p>
      </section>
      ${best === undefined ? '' : html`<article class="card prose" id="document">${renderMarkdown(best.section, mapLink)}</article>`}
      ${mentions.length === 0 ? '' : html`<p id="more">In full: ${mentions.map(({ name }, index) => html`${index === 0 ? '' : ', '}<a href="/how/${name}">${name}</a>`)}</p>`}`,
  })
}

function renderDocumentPage(slug: string, text: string): Html {
  return renderLayout({
    title: slug,
    section: 'how',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/how">How verdicts are decided</a></p>
      </section>
      <article class="card prose" id="document">${renderMarkdown(text, mapLink)}</article>`,
  })
}

/** @returns The code that {@link formatHowUrl} makes this address of; codes of SOCKS and control port end in anything. */
function findCode(slug: string): string | undefined {
  if (/^(?:socks|control)-./.test(slug)) return slug.toUpperCase().replaceAll('-', '_')
  return ERROR_CODES.find((code) => formatHowUrl(code) === `/how/${slug}`)
}

/** A part of a document that names a code. */
interface Mention {
  /** Name of the document, without `.md`. */
  readonly name: string
  /** From a heading of the second level to the next. */
  readonly section: string
}

/** @returns One mention for each document that has one; where a table has a row for the code, that one first. */
async function findMentions(documents: DocumentSource, code: string): Promise<readonly Mention[]> {
  const family = /^(?:SOCKS|CONTROL)_/.exec(code)?.[0]
  const needle = family === undefined ? `\`${code}\`` : `\`${family}`
  const mentions: (Mention & { readonly isRow: boolean })[] = []
  for (const file of await documents.names()) {
    const octets = file.endsWith('.md') ? await documents.read(file) : undefined
    const text = octets === undefined ? '' : new TextDecoder().decode(octets)
    const sections = text.split(/^(?=## )/m).filter((section) => section.includes(needle))
    const row = sections.find((section) => section.includes(`| ${needle}`))
    const section = row ?? sections[0]
    if (section !== undefined) mentions.push({ name: file.slice(0, -3), section, isRow: row !== undefined })
  }
  return mentions.sort((a, b) => Number(b.isRow) - Number(a.isRow))
}

/** Links between detector pages stay here; https goes out; other files of the repository are not served. */
function mapLink(target: string): string | undefined {
  if (target.startsWith('https://')) return target
  const page = /^(?:\.\/)?([a-z0-9-]+)\.md(#[\w-]+)?$/.exec(target)
  return page === null ? undefined : `/how/${page[1]}${page[2] ?? ''}`
}
