/**
 * A message as plain text, and text made safe to stand on one line.
 *
 * Invariant: what strangers wrote (nicknames, contacts) cannot break a line, hide behind control characters or turn the
 * direction of the text.
 */
import type { AlertMessage, AlertSeverity } from '../model/alert.ts'

/** Relays of one message; the rest is counted. */
const ITEMS_MAX = 200
const LINE_CHARS_MAX = 500

/** Words that stand before the title. */
const EVENT_WORDS: Readonly<Record<AlertMessage['event'], string>> = {
  new: 'New',
  ongoing: 'Ongoing',
  recovered: 'Recovered',
  digest: 'Digest',
  test: 'Test',
}

/** A message in lines: the heading, sentences, then one line for each item. */
export interface MessageLines {
  readonly heading: string
  readonly sentences: readonly string[]
  readonly items: readonly { readonly text: string; readonly url: string | null }[]
  /** How many items there are beyond those; 0 mostly. */
  readonly more: number
}

/** Cleans the texts of a message. */
export function toLines(message: AlertMessage): MessageLines {
  return {
    heading: `${EVENT_WORDS[message.event]} (${formatSeverity(message.severity)}): ${cleanLine(message.title)}`,
    sentences: message.lines.map(cleanLine),
    items: message.items.slice(0, ITEMS_MAX).map(({ text, url }) => ({ text: cleanLine(text), url })),
    more: Math.max(0, message.items.length - ITEMS_MAX),
  }
}

/** Formats a message as plain text, with the addresses under the lines that they belong to. */
export function formatPlainText(message: AlertMessage): string {
  const { heading, sentences, items, more } = toLines(message)
  const rows = items.flatMap(({ text, url }) => (url === null ? [`- ${text}`] : [`- ${text}`, `  ${url}`]))
  return [heading, '', ...sentences, ...(rows.length === 0 ? [] : ['', ...rows]), ...formatMore(more)].join('\n')
}

/** The line about items that are not shown. */
export function formatMore(more: number): readonly string[] {
  return more === 0 ? [] : [`… and ${more} more`]
}

/** Makes one bounded line of any text: control, format and line characters become spaces. */
export function cleanLine(text: string): string {
  const plain = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
  return plain.length > LINE_CHARS_MAX ? `${plain.slice(0, LINE_CHARS_MAX - 1).toWellFormed()}…` : plain
}

/** Splits plain text into parts of at most `charsMax` UTF-16 units, at the ends of lines where there are any. */
export function splitPlainText(text: string, charsMax: number): readonly string[] {
  const parts: string[] = []
  let rest = text
  while (rest.length > charsMax) {
    const lineEnd = rest.lastIndexOf('\n', charsMax - 1)
    let at = lineEnd > 0 ? lineEnd + 1 : charsMax
    // Never between the two halves of a character.
    if (lineEnd <= 0 && /[\uD800-\uDBFF]/.test(rest[at - 1] ?? '')) at -= 1
    parts.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return rest === '' && parts.length > 0 ? parts : [...parts, rest]
}

function formatSeverity(severity: AlertSeverity): string {
  return severity === 'info' ? 'information' : severity
}
