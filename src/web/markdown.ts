/**
 * Markdown → HTML for our own documents: headings, paragraphs, lists, tables, code, quotes, emphasis, links.
 *
 * Invariant: every character of the document is escaped before anything is made of it; a link goes to a page of ours or
 * to an https address, or stays text.
 *
 * Sources: the part of CommonMark and of GitHub's tables that `docs/` uses.
 */
import { html, raw } from 'hono/html'
import type { Html } from './html-value.ts'

/** Lines of a document that are rendered: the rest of a longer one is left out. */
const LINES_MAX = 2_000

/**
 * Renders a document.
 *
 * @param mapLink - The address of a page for a link of the document; `undefined` makes it plain text.
 */
export function renderMarkdown(text: string, mapLink: (target: string) => string | undefined): Html {
  const lines = text.replaceAll('\r\n', '\n').split('\n').slice(0, LINES_MAX)
  const blocks: string[] = []
  let at = 0
  while (at < lines.length) {
    const block = readBlock(lines, at, mapLink)
    blocks.push(block.html)
    at = block.next
  }
  return html`${raw(blocks.join('\n'))}`
}

interface Block {
  readonly html: string
  readonly next: number
}

type MapLink = (target: string) => string | undefined

function readBlock(lines: readonly string[], at: number, mapLink: MapLink): Block {
  const line = lines[at] ?? ''
  if (line.trim() === '') return { html: '', next: at + 1 }
  if (line.startsWith('```')) return readCode(lines, at)
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
  if (heading !== null) {
    const level = heading[1]?.length ?? 1
    return { html: `<h${level}>${renderInline(heading[2] ?? '', mapLink)}</h${level}>`, next: at + 1 }
  }
  if (isTableRow(line) && /^\s*\|[\s:|-]+\|?\s*$/.test(lines[at + 1] ?? '')) return readTable(lines, at, mapLink)
  if (/^\s*(?:[-*]|\d+\.)\s/.test(line)) return readList(lines, at, mapLink)
  return readParagraph(lines, at, mapLink)
}

function readCode(lines: readonly string[], at: number): Block {
  let end = at + 1
  while (end < lines.length && !(lines[end] ?? '').startsWith('```')) end += 1
  return { html: `<pre><code>${escapeText(lines.slice(at + 1, end).join('\n'))}</code></pre>`, next: end + 1 }
}

/** Tables inside lists are indented; they are rendered after the item they belong to. */
function isTableRow(line: string): boolean {
  return line.trimStart().startsWith('|')
}

function readTable(lines: readonly string[], at: number, mapLink: MapLink): Block {
  const row = (line: string, cell: 'th' | 'td'): string => {
    const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '')
    const cells = inner.split(/(?<!\\)\|/).map((text) => renderInline(text.trim().replaceAll('\\|', '|'), mapLink))
    const scope = cell === 'th' ? ' scope="col"' : ''
    return `<tr>${cells.map((text) => `<${cell}${scope}>${text}</${cell}>`).join('')}</tr>`
  }
  let end = at + 2
  while (end < lines.length && isTableRow(lines[end] ?? '')) end += 1
  const body = lines.slice(at + 2, end).map((line) => row(line, 'td'))
  const table = `<table><thead>${row(lines[at] ?? '', 'th')}</thead><tbody>${body.join('')}</tbody></table>`
  // Two tables of one document rarely have the same columns, so these tell them apart for screen readers.
  const label = escapeText((lines[at] ?? '').replaceAll(/[|`*\s]+/g, ' ').trim())
  return {
    html: `<div class="scroll" role="region" aria-label="Table: ${label}" tabindex="0">${table}</div>`,
    next: end,
  }
}

/** One level: our documents nest no lists. A line that is indented goes on with the item before it. */
function readList(lines: readonly string[], at: number, mapLink: MapLink): Block {
  const number = /^\s*(\d{1,4})\./.exec(lines[at] ?? '')?.[1]
  const items: string[] = []
  let end = at
  while (end < lines.length) {
    const line = lines[end] ?? ''
    const item = /^\s*(?:[-*]|\d+\.)\s+(.*)$/.exec(line)
    if (item !== null) items.push(item[1] ?? '')
    else if (/^\s+[^\s|]/.test(line)) items.push(`${items.pop() ?? ''} ${line.trim()}`)
    else break
    end += 1
  }
  const tag = number === undefined ? 'ul' : 'ol'
  // A list goes on after a table in one of its items.
  const start = number === undefined || number === '1' ? '' : ` start="${number}"`
  return {
    html: `<${tag}${start}>${items.map((item) => `<li>${renderInline(item, mapLink)}</li>`).join('')}</${tag}>`,
    next: end,
  }
}

function readParagraph(lines: readonly string[], at: number, mapLink: MapLink): Block {
  const isQuote = (lines[at] ?? '').startsWith('>')
  let end = at + 1
  while (end < lines.length && !/^(?:\s*$|#{1,6}\s|```|\s*\||\s*(?:[-*]|\d+\.)\s)/.test(lines[end] ?? '')) end += 1
  const text = lines
    .slice(at, end)
    .map((line) => (isQuote ? line.replace(/^>\s?/, '') : line.trim()))
    .join(' ')
  const inner = renderInline(text, mapLink)
  return { html: isQuote ? `<blockquote><p>${inner}</p></blockquote>` : `<p>${inner}</p>`, next: end }
}

/** Code spans first, so that nothing inside them is taken for emphasis. */
function renderInline(text: string, mapLink: MapLink): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => {
      if (part.length > 2 && part.startsWith('`') && part.endsWith('`'))
        return `<code>${escapeText(part.slice(1, -1))}</code>`
      return escapeText(part)
        .replaceAll(/\[([^\]]+)\]\(([^()\s]+)\)/g, (_whole, label: string, target: string) => {
          const url = mapLink(target.replaceAll('&amp;', '&'))
          return url === undefined ? label : `<a href="${escapeText(url)}" rel="noreferrer">${label}</a>`
        })
        .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
        .replaceAll(/(?<![\w*])[*_]([^*_]+)[*_](?![\w*])/g, '<em>$1</em>')
    })
    .join('')
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
