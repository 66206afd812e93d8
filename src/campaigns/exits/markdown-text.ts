/**
 * Text for Markdown tables from values that strangers chose: a nickname, a contact, an address that came back.
 *
 * **Invariant**: the text of a cell stays in its cell and is text: no markup, no HTML, no link, no line break.
 *
 * **Sources**: CommonMark 0.31, section 2.4 (backslash escapes); GitHub Flavored Markdown, tables and autolinks.
 */

const CELL_CHARS_MAX = 120

/** Escapes a value for a table cell; longer ones end in `…`, nothing becomes `–`. */
export function formatCell(value: string | number | null, charsMax: number = CELL_CHARS_MAX): string {
  if (value === null || value === '') return '–'
  const plain = flatten(String(value))
  const cut = plain.length > charsMax ? `${plain.slice(0, charsMax - 1).trimEnd()}…` : plain
  return escape(cut)
}

/** Formats a table; the columns named in `right` are aligned to the right. Cells are finished Markdown. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<string> = new Set(),
): string {
  const rule = head.map((name) => (right.has(name) ? '--:' : '---'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Control, format (bidirectional overrides) and line characters become spaces; half characters too. */
function flatten(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
}

/**
 * Escapes what begins markup, and nothing else, so that the text also reads well unrendered: `_` inside a word and `(`
 * without `]` before it are harmless. Autolinks are broken up: `https://…`, `www.…` and `name@host` need no markup.
 */
function escape(text: string): string {
  return text
    .replaceAll(/[\\`*[\]~|$]/g, '\\$&')
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll(/\bwww\./gi, (www) => `${www.slice(0, 3)}&#46;`)
}
