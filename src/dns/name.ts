/**
 * Domain names: labels as octets, and their presentation form.
 *
 * **Invariant:** a name made here has labels of 1 to 63 octets and at most 255 octets on the wire. Case is kept; it is
 * ignored in comparisons only, and only for ASCII letters.
 *
 * **Sources:** RFC 1035 sections 2.3 and 5.1 (limits, escapes), RFC 4343 (case), RFC 9499 (words).
 */

/** The labels from the left, without the root's empty one; the root itself has none. */
export type Name = readonly Uint8Array[]

/** RFC 1035 section 2.3.4: the two upper bits of the length octet are taken. */
export const LABEL_OCTETS_MAX = 63

/** RFC 1035 section 2.3.4: length octets and the root's zero octet included. */
export const NAME_OCTETS_MAX = 255

const DOT = 0x2e
const BACKSLASH = 0x5c

/** What has a meaning in master files: `"`, `$`, `(`, `)`, `.`, `;`, `@`, `\`. The same set as BIND's. */
const ESCAPED = new Set([0x22, 0x24, 0x28, 0x29, DOT, 0x3b, 0x40, BACKSLASH])

/**
 * Parses the presentation form: `www.example`, with or without a dot at the end; `\.` and `\DDD` as escapes; `.` is the
 * root.
 *
 * @returns `undefined` for empty text, empty labels, labels or names that are too long, bad escapes, white space and
 *   everything that is not ASCII (internationalised names come here in their `xn--` form).
 */
export function parseName(text: string): Name | undefined {
  if (text === '.') return []
  const labels: Uint8Array[] = []
  let label: number[] = []
  let sizeOctets = 1
  for (let at = 0; at < text.length; at++) {
    let octet = text.charCodeAt(at)
    if (octet === DOT) {
      if (label.length === 0) return undefined
      labels.push(Uint8Array.from(label))
      label = []
      continue
    }
    if (octet <= 0x20 || octet >= 0x7f) return undefined
    if (octet === BACKSLASH) {
      const escape = parseEscape(text, at)
      if (escape === undefined) return undefined
      octet = escape.octet
      at += escape.length - 1
    }
    sizeOctets += label.length === 0 ? 2 : 1
    if (label.push(octet) > LABEL_OCTETS_MAX || sizeOctets > NAME_OCTETS_MAX) return undefined
  }
  if (label.length > 0) labels.push(Uint8Array.from(label))
  return labels.length === 0 ? undefined : labels
}

/**
 * Formats a name without a dot at the end; the root is `.`.
 *
 * Octets outside of printable ASCII become `\DDD`, the characters that mean something in master files get a backslash.
 */
export function formatName(name: Name): string {
  if (name.length === 0) return '.'
  let text = ''
  for (let i = 0; i < name.length; i++) {
    if (i > 0) text += '.'
    for (const octet of name[i] as Uint8Array) text += formatOctet(octet)
  }
  return text
}

/** @returns Whether two names are the same, ASCII case aside. */
export function equalNames(a: Name, b: Name): boolean {
  return a.length === b.length && nameIsUnder(a, b)
}

/** @returns Whether a name is `zone` itself or lies below it, ASCII case aside. Everything is under the root. */
export function nameIsUnder(name: Name, zone: Name): boolean {
  const skipped = name.length - zone.length
  if (skipped < 0) return false
  for (let i = 0; i < zone.length; i++) {
    if (!equalLabels(name[skipped + i] as Uint8Array, zone[i] as Uint8Array)) return false
  }
  return true
}

function equalLabels(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (lowerCase(a[i] as number) !== lowerCase(b[i] as number)) return false
  return true
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
}

function formatOctet(octet: number): string {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, '0')}`
  const char = String.fromCharCode(octet)
  return ESCAPED.has(octet) ? `\\${char}` : char
}

/** @returns The octet behind the backslash at `at`, and how many characters it took. */
function parseEscape(text: string, at: number): { octet: number; length: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0]
  if (digits !== undefined) {
    const octet = Number(digits)
    return octet <= 255 ? { octet, length: 4 } : undefined
  }
  const octet = text.charCodeAt(at + 1)
  // A digit here is the start of an incomplete \DDD; NaN is a backslash at the end.
  return octet > 0x20 && octet < 0x7f && !(octet >= 0x30 && octet <= 0x39) ? { octet, length: 2 } : undefined
}
