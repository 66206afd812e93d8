/**
 * Octets of a control connection → reply lines, and the small grammars inside them.
 *
 * Invariant: whatever arrives, memory stays bounded and nothing throws but {@link ControlProtocolError}, after which the
 * connection is of no use.
 *
 * Sources: Tor control-spec section 2.3 (replies), 2.1.1 (quoted strings).
 */

/** Longest line taken; the longest that Tor sends are family lines of descriptors (below 20 KiB). */
const LINE_OCTETS_MAX = 131_072
/** Most lines in one reply outside its data blocks. */
const REPLY_LINES_MAX = 65_536
/** Most arguments read from one event line. */
const FIELDS_MAX = 256

/** What came over the control connection is not the control protocol. */
export class ControlProtocolError extends Error {
  override readonly name = 'ControlProtocolError'
}

/** One line of a reply. */
export interface ReplyLine {
  /** 100 to 999. */
  readonly status: number
  /** After the separator; without line end. */
  readonly text: string
}

/** Receives what the parser finds. */
export interface ControlParserHandlers {
  /** A complete reply (status below 600) or event (6xx); at least one line. */
  readonly onReply: (lines: readonly ReplyLine[]) => void
  /** A line of a data block, dots unstuffed; `status` and `text` are those of the line that opened the block. */
  readonly onData: (line: string, opener: ReplyLine) => void
}

/** Takes octets as they arrive. */
export interface ControlParser {
  /** @throws {ControlProtocolError} */
  feed(octets: Uint8Array): void
}

/** Positional and named arguments of an event or reply line. */
export interface ControlFields {
  readonly words: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

/** A parser for one connection. */
export function createControlParser(handlers: ControlParserHandlers): ControlParser {
  const decoder = new TextDecoder()
  let rest = new Uint8Array(0)
  /** Lines of the reply and of the event that have begun: an event may come between the lines of a reply. */
  const begun: Record<'reply' | 'event', ReplyLine[]> = { reply: [], event: [] }
  let block: ReplyLine | undefined

  const takeLine = (line: string): void => {
    if (block !== undefined) {
      if (line === '.') block = undefined
      else handlers.onData(line.startsWith('.') ? line.slice(1) : line, block)
      return
    }
    const match = /^([1-9]\d\d)([ +-])/.exec(line)
    if (match === null) throw new ControlProtocolError('a line that is no reply')
    const reply: ReplyLine = { status: Number(match[1]), text: line.slice(4) }
    const kind = reply.status < 600 ? 'reply' : 'event'
    const lines = begun[kind]
    if (lines.length >= REPLY_LINES_MAX) throw new ControlProtocolError('a reply with too many lines')
    lines.push(reply)
    if (match[2] === '+') block = reply
    else if (match[2] === ' ') {
      begun[kind] = []
      handlers.onReply(lines)
    }
  }

  return {
    feed: (octets) => {
      let start = 0
      for (;;) {
        const end = octets.indexOf(0x0a, start)
        if (end < 0) break
        const part = octets.subarray(start, end)
        const whole = rest.length === 0 ? part : concat(rest, part)
        rest = new Uint8Array(0)
        start = end + 1
        if (whole.length > LINE_OCTETS_MAX) throw new ControlProtocolError('a line that is too long')
        takeLine(decoder.decode(whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole))
      }
      if (start < octets.length) rest = concat(rest, octets.subarray(start))
      if (rest.length > LINE_OCTETS_MAX) throw new ControlProtocolError('a line that is too long')
    },
  }
}

/**
 * Splits a line into words and `KEY=VALUE` pairs; values may be quoted strings. The first of equal keys counts. What does
 * not fit the grammar is kept as a word, so that nothing is lost silently.
 */
export function parseControlFields(text: string): ControlFields {
  const words: string[] = []
  const named = new Map<string, string>()
  let at = 0
  for (let count = 0; count < FIELDS_MAX; count++) {
    while (text[at] === ' ') at++
    if (at >= text.length) break
    const key = /^[A-Za-z][\w/-]*=/.exec(text.slice(at, at + 64))?.[0]
    const from = key === undefined ? at : at + key.length
    const quoted = text[from] === '"' ? parseQuoted(text, from) : undefined
    const end = quoted?.end ?? endOfWord(text, from)
    const value = quoted?.value ?? text.slice(from, end)
    if (key === undefined) words.push(value)
    else if (!named.has(key.slice(0, -1))) named.set(key.slice(0, -1), value)
    at = end
  }
  return { words, named }
}

/** Reads a value that is a quoted string or bare text (as GETINFO and GETCONF give them). */
export function unquoteControlValue(text: string): string {
  return parseQuoted(text, 0)?.value ?? text
}

/** Writes a quoted string for a command. Control characters are escaped in octal. */
export function quoteControlValue(text: string): string {
  let out = ''
  for (const octet of ENCODER.encode(text)) {
    if (octet === 0x22 || octet === 0x5c) out += `\\${String.fromCodePoint(octet)}`
    else if (octet < 0x20 || octet > 0x7e) out += `\\${octet.toString(8).padStart(3, '0')}`
    else out += String.fromCodePoint(octet)
  }
  return `"${out}"`
}

const ENCODER = new TextEncoder()
const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9 }

/** @returns The value and the index after the closing quote; `undefined` when no quoted string starts at `at`. */
function parseQuoted(text: string, at: number): { value: string; end: number } | undefined {
  if (text[at] !== '"') return undefined
  const octets: number[] = []
  for (let i = at + 1; i < text.length; i++) {
    const char = String.fromCodePoint(text.codePointAt(i) ?? 0)
    if (char === '"') return { value: new TextDecoder().decode(Uint8Array.from(octets)), end: i + 1 }
    if (char === '\\') {
      i++
      const octal = /^[0-3][0-7]{2}/.exec(text.slice(i, i + 3))?.[0]
      const escaped = text[i] ?? ''
      octets.push(octal === undefined ? (ESCAPES[escaped] ?? escaped.codePointAt(0) ?? 0) : Number.parseInt(octal, 8))
      if (octal !== undefined) i += 2
    } else {
      octets.push(...ENCODER.encode(char))
      i += char.length - 1
    }
  }
  return undefined
}

function endOfWord(text: string, from: number): number {
  const space = text.indexOf(' ', from)
  return space < 0 ? text.length : space
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}
