/**
 * Telegram's HTML: escaping, and splitting a long text into messages.
 *
 * Invariant: a part is never longer than the limit, cuts neither a tag nor an entity nor a character, and closes what it
 * opens; the text of all parts in order is the text of the whole.
 *
 * Sources: https://core.telegram.org/bots/api#html-style, https://core.telegram.org/bots/api#sendmessage
 */
import { assert } from '../core/assert.ts'
import type { AlertMessage } from '../model/alert.ts'
import { formatMore, toLines } from './plain-text.ts'

/** A link that is longer would leave no room for text. */
const URL_CHARS_MAX = 1_000

/** Escapes text for the content of an element and for an attribute in double quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Formats a message as Telegram's HTML, not yet split. */
export function formatTelegramHtml(message: AlertMessage): string {
  const { heading, sentences, items, more } = toLines(message)
  const rows = items.map(({ text, url }) =>
    url === null || url.length > URL_CHARS_MAX
      ? `• ${escapeHtml(text)}`
      : `• <a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`,
  )
  return [`<b>${escapeHtml(heading)}</b>`, ...sentences.map(escapeHtml), ...rows, ...formatMore(more)].join('\n')
}

/** A tag, an entity, or one character with its combining marks left where they are. */
const TOKEN = /<[^>]*>|&[a-z]+;|&#\d+;|[\s\S]/giu

/**
 * Splits HTML into messages, after the end of a line where there is one in the second half of a part.
 *
 * @param html - Made of what this file escapes and of tags that are closed in order.
 * @param charsMax - UTF-16 units, markup included; more than twice as many as the longest tag.
 */
export function splitTelegramHtml(html: string, charsMax: number): readonly string[] {
  const parts: string[] = []
  let rest: readonly string[] = html.match(TOKEN) ?? []
  let open: readonly string[] = []
  do {
    const cut = findCut(rest, open, charsMax)
    assert(cut.count > 0 || rest.length === 0, 'a part holds at least one character')
    parts.push([...open, ...rest.slice(0, cut.count), ...closing(cut.open)].join(''))
    rest = rest.slice(cut.count)
    open = cut.open
    // What only closes is in the part before.
    while (rest.length > 0 && rest[0]?.startsWith('</') === true && open.length > 0) {
      rest = rest.slice(1)
      open = open.slice(0, -1)
    }
  } while (rest.length > 0)
  return parts
}

interface Cut {
  /** Tokens that belong to the part. */
  readonly count: number
  /** Tags that are open behind them. */
  readonly open: readonly string[]
}

function findCut(tokens: readonly string[], opened: readonly string[], charsMax: number): Cut {
  let open = opened
  let length = opened.join('').length
  let best: Cut = { count: 0, open }
  let lineEnd: Cut | undefined
  for (const [index, token] of tokens.entries()) {
    length += token.length
    if (token.startsWith('</')) open = open.slice(0, -1)
    else if (token.startsWith('<') && token.length > 1) open = [...open, token]
    if (length + closing(open).join('').length > charsMax) return lineEnd ?? best
    // A part that ends behind an opening tag would show an empty element.
    if (!token.startsWith('<') || token.startsWith('</')) best = { count: index + 1, open }
    if (token === '\n' && length > charsMax / 2) lineEnd = { count: index + 1, open }
  }
  return { count: tokens.length, open }
}

function closing(open: readonly string[]): readonly string[] {
  return open.map((tag) => `</${/^<(\w+)/.exec(tag)?.[1] ?? ''}>`).reverse()
}
